"""Callers who don't give up: a call is repeated under its Idempotency-Key until it is answered."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any

PATIENCE = 8.0
"""Seconds that a caller waits for one answer before asking again."""
PUBLISHED = 0.5
"""Seconds between planned works."""
WORKS = {
    "kind": "planned-works",
    "services": ["utilities.no-cold-water"],
    "area": {"city": True},
    "texts": {"kk": "Су жоқ", "ru": "Воды не будет", "en": "No water"},
    "planned_from": "2090-05-01T04:00:00Z",
    "planned_to": "2090-05-01T13:00:00Z",
}
"""So far ahead that no appeal joins them."""
ADDRESSES = ("Шакарима 12", "Кабанбай батыра 40", "Абая 7", "проспект Ауэзова 15", "Глинки 3")


@dataclass(slots=True)
class Heard:
    """What the callers were told; kept under one lock, since they are threads."""

    numbers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The registration numbers that were acknowledged, by Idempotency-Key."""
    accepted: set[str] = field(default_factory=set)
    """Numbers of which the executor's 'accept' was acknowledged."""
    incidents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The ids of planned works that were acknowledged, by Idempotency-Key."""
    cancelled: set[str] = field(default_factory=set)
    """Ids of those of which the cancelling was acknowledged."""
    answers: int = 0
    repeats: int = 0
    """Calls that were made again, because no answer came or one that says 'later'."""
    faults: list[str] = field(default_factory=list)
    """Answers that no call here deserves."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Callers:
    """Pairs of callers: both of a pair send the same calls with the same keys, at the same time.

    So every key meets its twin in the air, besides the repeats after lost answers. Each pair
    registers an appeal, lets the executor accept it, and goes on with the next. Beside them one
    publishes planned works and cancels them.
    """

    def __init__(self, port: int, tokens: dict[str, str], pairs: int, pause: float) -> None:
        self.heard = Heard()
        self._port, self._tokens, self._pause = port, tokens, pause
        self._stop, self._give_up = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._live, args=(pair,), name=f"caller {pair} {twin}")
            for pair in range(pairs)
            for twin in "ab"
        ]
        self._threads.append(threading.Thread(target=self._publish, name="publisher"))
        self._turns = {pair: threading.Barrier(2) for pair in range(pairs)}

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def finish(self, seconds: float) -> None:
        """Let each end the appeal that it is about, then stop; TimeoutError if one does not."""
        self._stop.set()
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        late = [thread.name for thread in self._threads if thread.is_alive()]
        self._give_up.set()
        for barrier in self._turns.values():
            barrier.abort()
        if late:
            raise TimeoutError(f"not answered within {seconds:.0f} s: {', '.join(late)}")

    def answers(self) -> int:
        """How many calls were answered as they should be."""
        with self.heard.lock:
            return self.heard.answers

    def _live(self, pair: int) -> None:
        line = Line(self._port)
        number = 0
        while not self._give_up.is_set():
            try:
                # Whether they stop is asked by both at the same turn.
                if self._turns[pair].wait(120) == 0 and self._stop.is_set():
                    self._turns[pair].abort()
                self._turns[pair].wait(120)
            except threading.BrokenBarrierError:
                break
            self._appeal(line, f"kill-{pair}-{number}", number)
            number += 1
            time.sleep(self._pause)
        line.close()

    def _publish(self) -> None:
        line = Line(self._port)
        number = 0
        while not (self._stop.is_set() or self._give_up.is_set()):
            self._works(line, f"works-{number}")
            number += 1
            time.sleep(PUBLISHED + self._pause)
        line.close()

    def _works(self, line: "Line", key: str) -> None:
        answer = self._insist(line, "/v1/incidents", "head water", key, WORKS, good=201)
        if answer is None:
            return
        published = str(answer["id"])
        with self.heard.lock:
            self.heard.incidents[key].add(published)
        path, reason = f"/v1/incidents/{published}/cancel", {"reason": "Перенесено"}
        if self._insist(line, path, "head water", f"{key}-cancel", reason, good=200) is not None:
            with self.heard.lock:
                self.heard.cancelled.add(published)

    def _appeal(self, line: "Line", key: str, number: int) -> None:
        answer = self._insist(line, "/v1/appeals", "operator", key, _intake(number), good=201)
        if answer is None:
            return
        registered = str(answer["number"])
        with self.heard.lock:
            self.heard.numbers[key].add(registered)
        path = f"/v1/appeals/{registered}/accept"
        if self._insist(line, path, "executor water", f"{key}-accept", {}, good=200) is not None:
            with self.heard.lock:
                self.heard.accepted.add(registered)

    def _insist(
        self, line: "Line", path: str, role: str, key: str, body: object, *, good: int
    ) -> dict[str, Any] | None:
        """The answer at last; None where it is none that this call can get, or all is over."""
        encoded = json.dumps(body, ensure_ascii=False).encode()
        while not self._give_up.is_set():
            status, answer = line.ask(path, self._tokens[role], key, encoded)
            with self.heard.lock:
                if status == good:
                    self.heard.answers += 1
                    found: dict[str, Any] = json.loads(answer)
                    return found
                if not passes(status):
                    self.heard.faults.append(f"{path} {status} {answer[:200]!r}")
                    return None
                self.heard.repeats += 1
            time.sleep(0.1)
        return None


def passes(status: int) -> bool:
    """Whether a client asks again after such an answer: none at all, or one that says 'later'."""
    return status in (0, 429, 502, 503, 504)


class Line:
    """One connection, opened again when it broke."""

    def __init__(self, port: int) -> None:
        self._open: Callable[[], HTTPConnection] = lambda: HTTPConnection(
            "127.0.0.1", port, timeout=PATIENCE
        )
        self._held = self._open()

    def ask(
        self, path: str, token: str, key: str = "", body: bytes | None = None, method: str = "POST"
    ) -> tuple[int, bytes]:
        """Status and body; status 0 where no answer came."""
        headers = {"Authorization": f"Bearer {token}"}
        if body is not None:
            headers |= {"Idempotency-Key": key, "Content-Type": "application/json"}
        try:
            self._held.request(method, path, body, headers)
            answer = self._held.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException):
            self.close()
            self._held = self._open()
            return 0, b""

    def close(self) -> None:
        """Hang up."""
        self._held.close()


def _intake(number: int) -> object:
    return {
        "service": "manholes.open-on-road",
        "kind": "complaint",
        "channel": "phone",
        "text": f"Открытый люк на дороге, {number}: ночью не видно, балалар өтеді.",
        "location": {"address": ADDRESSES[number % len(ADDRESSES)]},
        "answers": {"landmark": "дүкеннің жанында", "cover": "missing"},
        "applicant": {"name": "Айгүл Серікова", "phone": "+77001234567"},
    }
