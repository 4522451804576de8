"""What residents, operators, inspectors and executors do, each with their own token."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, Protocol

from demo.client import Client
from demo.photo import photo
from demo.sample.rows import Row
from demo.semey.duties import SPHERES
from demo.semey.geography import ident
from demo.stories import Step, steps_of
from domain.appeals.workflow import Action

A = Action
Body = dict[str, Any]

HOW: Mapping[str, str] = {
    "phone": "call", "app": "call", "smart_astana": "call", "web": "sms", "telegram": "chat",
    "facebook": "chat", "instagram": "chat", "email": "email", "e-otinish": "email",
}  # fmt: skip
"""Channel → how the word of a resident comes back to an operator. Who acts in the app says so."""

# What is written, by action and language.
_WORDS: Mapping[Action, Mapping[str, str]] = {
    A.COMMENT: {"kk": "Сәлеметсіз бе! Өтінішіңіз тіркелді.",
                "ru": "Здравствуйте! Ваше обращение зарегистрировано."},
    A.DECLINE: {"kk": "Бұл нысан біздің теңгерімде емес.",
                "ru": "Этот объект не на нашем балансе."},
    A.ASSIGN: {"kk": "Орналасқан жері бойынша.", "ru": "По месту нахождения."},
    A.REDIRECT: {"kk": "Жұмысты осы ұйым жүргізеді.", "ru": "Работы ведёт эта организация."},
    A.REPORT: {"kk": "Бригада орнында.", "ru": "Бригада на месте."},
    A.RESOLVE: {"kk": "Жұмыс орындалды.", "ru": "Работы выполнены."},
    A.CHECK: {"kk": "Сапасы тексерілді.", "ru": "Качество проверено."},
    A.RETURN: {"kk": "Фотода басқа жер.", "ru": "На фото другое место."},
    A.REOPEN: {"kk": "Мәселе шешілген жоқ.", "ru": "Проблема не решена."},
    A.WITHDRAW: {"kk": "Енді қажет емес.", "ru": "Уже не нужно."},
    A.PAUSE: {"kk": "Себебі жазылды.", "ru": "Причина записана."},
}  # fmt: skip
_NO_PHOTO = {"kk": "Пәтер ішіндегі жұмыс.", "ru": "Работы внутри квартиры."}


class Credentials(Protocol):
    """Tokens of the people of the demonstration; organisations are named by id."""

    async def role(self, role: str) -> str:
        """A token of somebody of the role (the words of domain.access.Role), maybe in turn."""

    async def executor(self, organisation: str) -> str:
        """The token of an executor of the organisation."""

    async def head(self, organisation: str) -> str:
        """The token of the organisation's head."""


@dataclass(slots=True)
class Case:
    """A row of the sample on its way: the appeal as last seen, and what is still to be done."""

    row: Row
    appeal: Mapping[str, Any] | None = None
    registered_at: datetime | None = None
    steps: deque[Step] = field(default_factory=deque)
    done: int = 0
    next: Step | None = None
    own: str | None = None
    """The token of the resident who acts for themselves."""

    @property
    def random(self) -> Random:
        """Chances of this step of this case, the same in every run."""
        return Random(f"{self.row.number}:{self.done}")


@dataclass(slots=True)
class People:
    """Everybody who acts in the demonstration."""

    client: Client
    credentials: Credentials
    registered: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    _answers: dict[tuple[str, str], str] = field(default_factory=dict)

    async def step(self, case: Case, now: Callable[[], datetime]) -> datetime | None:
        """Register the case, or do what is next for it; when the step after that is due."""
        if case.appeal is None:
            case.registered_at = at = now()
            case.appeal = await self._register(case, at)
            if case.appeal is None:
                return None
            self.registered += 1
            status = case.appeal["status"]
            case.steps.extend(steps_of(case.row.story, case.row.channel, status))
        elif case.next is not None:
            appeal = await self._act(case, case.next)
            if appeal is None:
                return None
            self.actions[case.next.action] += 1
            case.appeal = appeal
        return _plan(case, now())

    async def _register(self, case: Case, at: datetime) -> Any:
        row = case.row
        if row.story == "citizen":
            case.own = await self.credentials.role("citizen")
        token = case.own or await self.credentials.role("operator")
        body: Body = {
            "service": row.service, "kind": row.kind, "channel": row.channel,
            "language": row.language, "text": row.text, "location": row.location,
            "answers": row.answers_at(at),
        }  # fmt: skip
        if case.own:
            body["attachments"] = await self._upload(token, row.number, "before", done=False)
        elif row.applicant is None:
            body["anonymous"] = True
        else:
            body["applicant"] = row.applicant
        if row.story == "first-call":
            body["answer"] = await self._answer(row, token) | {"confirmed_by": HOW[row.channel]}
        return await self.client.post("/v1/appeals", token, f"{row.number}-register", body)

    async def _answer(self, row: Row, token: str) -> Body:
        """What the catalogue tells the operator to say."""
        key = row.service, row.language
        if key not in self._answers:
            service = await self.client.get(
                f"/v1/services/{row.service}", token, language=row.language
            )
            self._answers[key] = (service or {}).get("first_call_answer") or row.text
        return {"text": self._answers[key]}

    async def _act(self, case: Case, step: Step) -> Any:
        appeal, row = case.appeal or {}, case.row
        token = await self._token(case, step)
        body = await self._body(case, step, token)
        path = f"/v1/appeals/{appeal['number']}/{step.action}"
        return await self.client.post(path, token, f"{row.number}-{case.done}", body)

    async def _token(self, case: Case, step: Step) -> str:
        if step.by == "executor":
            assignment = (case.appeal or {})["assignment"]
            return await self.credentials.executor(assignment["organisation"]["id"])
        if step.by == "resident":
            # Whoever wrote by themselves answers by themselves; others tell an operator.
            return case.own or await self.credentials.role("operator")
        return await self.credentials.role(step.by)

    async def _body(self, case: Case, step: Step, token: str) -> Body:
        row, random = case.row, case.random
        said = _WORDS.get(step.action, {}).get(row.language, "")
        match step.action:
            case A.ANSWER:
                return await self._answer(row, token)
            case A.ASSIGN | A.REDIRECT:
                return {"organisation": _other(case.appeal or {}), "reason": said}
            case A.REPORT:
                shown = await self._evidence(case, str(step.stage), token, least=0)
                return {"stage": step.stage, "note": said, **shown}
            case A.PAUSE:
                return {"reason": step.reason, "note": said}
            case A.RESOLVE if random.random() < 0.12:
                await self._let_go(case)
                shown = await self._evidence(case, "resolve", token, least=0)
                return {"text": said, "no_photo_reason": _NO_PHOTO[row.language], **shown}
            case A.RESOLVE:
                return {"text": said, **await self._evidence(case, "resolve", token, least=1)}
            case A.CONFIRM:
                rating = random.choices((5, 4, 3, 2), (60, 25, 10, 5))[0]
                return {"how": _how(case), "rating": rating}
            case A.REOPEN | A.WITHDRAW:
                return {"how": _how(case), "reason": said}
            case A.COMMENT:
                return {"text": said}
            case A.DECLINE | A.RETURN:
                return {"reason": said}
            case A.CHECK:
                return {"note": said}
        return {}

    async def _evidence(self, case: Case, stage: str, token: str, *, least: int) -> Body:
        """What the appeal says that the act needs, and at least so many photos."""
        appeal = case.appeal or {}
        need = _need(appeal, stage)
        body: Body = {}
        if count := max(need["photos"], least):
            name = f"{stage}-{case.done}"
            taken = [
                await self._upload(token, case.row.number, f"{name}-{one}", done=True, view=one)
                for one in range(count)
            ]
            field = "evidence" if stage == "resolve" else "attachments"
            body[field] = [id for ids in taken for id in ids]
        if need["within_metres"]:
            body["position"] = _beside(appeal, need["within_metres"], case.random)
        if need["act_number"]:
            body["act_number"] = need["act_number"]["example"]
        return body

    async def _let_go(self, case: Case) -> None:
        """An inspector lets the photo go where the work is inside a flat."""
        appeal, row = case.appeal or {}, case.row
        if not _need(appeal, "resolve")["photos"]:
            return
        body = {"stage": "resolve", "evidence": ["photo"], "reason": _NO_PHOTO[row.language]}
        path = f"/v1/appeals/{appeal['number']}/waive"
        token = await self.credentials.role("inspector")
        waived = await self.client.post(path, token, f"{row.number}-{case.done}-waive", body)
        if waived is not None:
            self.actions[A.WAIVE] += 1
            case.appeal = waived

    async def _upload(
        self, token: str, number: int, name: str, *, done: bool, view: int = 0
    ) -> list[str]:
        file = f"{name}.jpg", photo(number + view * 1_000_000, done=done), "image/jpeg"
        kept = await self.client.post("/v1/attachments", token, f"{number}-{name}", file=file)
        return [kept["id"]] if kept else []


def _how(case: Case) -> str:
    return "app" if case.own else HOW[case.row.channel]


def _need(appeal: Mapping[str, Any], stage: str) -> Mapping[str, Any]:
    nothing: Body = {"photos": 0, "within_metres": None, "act_number": None}
    return next((one for one in appeal["evidence"] if one["stage"] == stage), nothing)


def _beside(appeal: Mapping[str, Any], within: int, random: Random) -> Body:
    """A few steps from the place, as a telephone tells it."""
    point = appeal["location"]["coordinates"]
    steps = random.uniform(-within, within) / 2 / 111_320
    return {
        "latitude": round(point["latitude"] + steps, 6),
        "longitude": point["longitude"],
        "accuracy": random.randint(4, min(25, within)),
    }


def _plan(case: Case, now: datetime) -> datetime | None:
    """When the next step that applies is due, by the city's clock."""
    appeal = case.appeal or {}
    since = datetime.fromisoformat(appeal["registered_at"])
    # Where the platform's clock is the real one, its times are told from the registration on.
    shift = (case.registered_at or now) - since
    while case.steps:
        case.next = case.steps.popleft()
        case.done += 1
        due = case.next.due(appeal, now - shift, case.random)
        if due is not None:
            return due + shift
    case.next = None
    return None


def _other(appeal: Mapping[str, Any]) -> str:
    """An organisation that an inspector may think of: the sphere's department, or the akimat."""
    department, dispatch = SPHERES[appeal["sphere"]]
    held = (appeal["assignment"] or {}).get("organisation", {}).get("id")
    ids = (str(ident("organisation", code)) for code in (department, dispatch))
    return next(one for one in ids if one != held)
