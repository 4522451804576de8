"""The contract with e-Өтініш as data: six files, judged together before anything is exchanged.

The files that are shipped (contract/) say of each thing whether it was `seen` in a public source or
is recalled. A city that receives the real passport writes its own folder of the same six files and
names it in the settings; no logic changes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from domain.appeals.model import Kind
from domain.appeals.workflow import Status
from domain.eotinish.agreements import Agreements, Term
from domain.eotinish.model import Channel, Notice, Remedy, Tale
from domain.law.kinds import AppealKind
from domain.values import Language
from integrations.eotinish.known import GROUPS, judge_names
from integrations.eotinish.names import NameRule

SHIPPED = Path(__file__).parent / "contract"
FILES = ("fields", "types", "terms", "states", "success", "codes")


class ContractMalformed(ValueError):
    """The files cannot be used. The message names each fault by file and place."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _File(_Model):
    version: Literal[1]


def _pairs(value: object) -> object:
    return tuple(value.items()) if isinstance(value, dict) else value


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


_PATH = r"[A-Za-z][A-Za-z0-9]*(/[A-Za-z][A-Za-z0-9]*)?"
Ignored = Annotated[str, Field(pattern=rf"^{_PATH}\*?$")]
"""An element that is known and says nothing to us; `*` ends the beginning of several names."""


class Field_(_Model):
    """One field: our name, the path of its element, what it holds, and whether it was seen.

    One with a `value` instead of a name is always written with it. `codes` says which word of ours
    is which of theirs, where the words are few.
    """

    name: str = Field(default="", pattern=r"^[a-z_]{0,40}$")
    element: str = Field(pattern=rf"^{_PATH}$")
    value: str | None = None
    codes: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)] = ()
    kind: Literal["text", "long", "date", "boolean", "texts"] = "text"
    seen: bool
    required: bool = False
    personal: bool = False
    max: int = Field(default=10_000, ge=1, le=100_000)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.name) == (self.value is not None):
            raise ValueError("needs a name, or a value that is always the same")
        return self


class Message(_Model):
    """One message: `type` is namespace/name of its xsi:type; fields in the order of the schema."""

    type: str = Field(pattern=r"^[a-z]+/[A-Za-z]+$")
    channel: Channel = Channel.SYNC
    fields: tuple[Field_, ...]
    ignored: tuple[Ignored, ...] = ()


class Services(_Model):
    """The serviceIds that the passport grants, by what they are for."""

    send: str
    receive: str
    ask: str
    files: str


class FieldsFile(_File):
    """fields.yaml. A tale may come as messages of several types; `ignored` holds for all."""

    names: NameRule = NameRule()
    ignored: tuple[Ignored, ...] = ()
    namespaces: Mapping[str, str]
    services: Services
    notices: Mapping[Notice, Message]
    tales: Mapping[Tale, Annotated[tuple[Message, ...], BeforeValidator(_several)]]
    answers: Mapping[Literal["taken"], Message]
    questions: Mapping[Literal["list", "again"], Message]
    rows: Mapping[Literal["listed"], Message]


class Type(_Model):
    """A type of appeal; `law` is what it is before the law. `outgoing` where ours of that kind that
    nobody has classified are sent as it.
    """

    id: str
    name: str
    kind: Kind
    law: AppealKind
    seen: bool
    outgoing: bool = False


def _pattern(value: str) -> str:
    re.compile(value)
    return value


class TypesFile(_File):
    """types.yaml. `unnamed` is the type of an assignment that names none."""

    types: tuple[Type, ...]
    unnamed: str | None = None
    languages: Mapping[Language, str]
    number: Annotated[str, AfterValidator(_pattern)]


class ExpectedTerm(_Model):
    """How long the other side expects an appeal of a type to take."""

    days: int = Field(ge=1, le=366)
    unit: Literal["working", "calendar"]
    seen: bool


class TermsFile(_File):
    """terms.yaml."""

    terms: Mapping[str, ExpectedTerm]


class StatesFile(_File):
    """states.yaml."""

    seen: tuple[str, ...]
    states: Mapping[Status, str]
    forwarded: str = Field(min_length=1)


class SuccessCode(_Model):
    """A status code that means success."""

    code: str
    seen: bool


class SuccessFile(_File):
    """success.yaml."""

    success: Mapping[str, tuple[SuccessCode, ...]]


class Outcome(_Model):
    """What a code is called here, and what helps."""

    fault: str = Field(pattern=r"^[a-z][a-z-]{1,40}$")
    remedy: Remedy


class Code(Outcome):
    """An error code, or a prefix that ends in `*`."""

    code: str
    seen: bool


class CodesFile(_File):
    """codes.yaml. A code that is not listed is one of the gateway's own, in a SOAP fault, or the
    status of the system that received the message.
    """

    unknown_fault: Outcome
    unknown_status: Outcome
    codes: tuple[Code, ...]


_MODELS: Mapping[str, type[_File]] = dict(
    zip(FILES, (FieldsFile, TypesFile, TermsFile, StatesFile, SuccessFile, CodesFile), strict=True)
)


@dataclass(frozen=True)
class Contract:
    """The six files, sound together."""

    fields: FieldsFile
    types: TypesFile
    terms: TermsFile
    states: StatesFile
    success: SuccessFile
    codes: CodesFile

    def namespace_of(self, message: Message) -> str:
        """The namespace of a message's type."""
        return self.fields.namespaces[message.type.partition("/")[0]]

    def succeeded(self, service: str, code: str) -> bool:
        """Whether a status code of a service's answer means success."""
        table = self.success.success
        listed = table.get(service) or table.get("*", ())
        return any(one.code == code for one in listed)

    def outcome(self, code: str, *, fault: bool) -> Outcome:
        """What a code of a SOAP fault or of a status means; the exact one before a prefix."""
        for one in self.codes.codes:
            if one.code == code:
                return one
        for one in self.codes.codes:
            if one.code.endswith("*") and code.startswith(one.code[:-1]):
                return one
        return self.codes.unknown_fault if fault else self.codes.unknown_status

    def seen(self) -> tuple[int, int]:
        """How many things of the files were seen in a public source, and how many are recalled."""
        marks = list(_marks([getattr(self, name).model_dump() for name in FILES]))
        return sum(marks), len(marks) - sum(marks)

    @cached_property
    def told(self) -> Mapping[tuple[str, str], tuple[Tale, Message]]:
        """Namespace and name of a type → the tale that it is, and its form."""
        return {
            (self.namespace_of(message), message.type.partition("/")[2]): (tale, message)
            for tale, messages in self.fields.tales.items()
            for message in messages
        }

    def places(self, name: str, message: Message | None) -> tuple[str, ...]:
        """The elements in which a field stands: in a message of the state, or in any of them."""
        messages = [one for _, one in self.told.values()] if message is None else [message]
        found = (one.element for form in messages for one in form.fields if one.name == name)
        return tuple(dict.fromkeys(found))

    def agreements(self, service: str, categories: Mapping[str, str]) -> Agreements:
        """The words of both sides, for a city that takes assignments as `service`."""
        return Agreements(
            types={one.kind: one.id for one in self.types.types if one.outgoing},
            kinds={one.id: one.kind for one in self.types.types},
            laws={one.id: one.law for one in self.types.types},
            states=self.states.states,
            languages=self.types.languages,
            number=re.compile(self.types.number),
            service=service,
            categories=categories,
            terms={
                id: Term(one.days, working=one.unit == "working")
                for id, one in self.terms.terms.items()
            },
            forwarded=self.states.forwarded,
        )


def _marks(value: Any) -> Iterator[bool]:
    if isinstance(value, dict):
        if isinstance(value.get("seen"), bool):
            yield value["seen"]
        value = value.values()
    if not isinstance(value, str):
        for one in value if isinstance(value, Iterable) else ():
            yield from _marks(one)


def read_contract(folder: Path = SHIPPED) -> Contract:
    """The contract of a folder. Raises ContractMalformed with every fault."""
    faults: list[str] = []
    files: dict[str, Any] = {}
    for name in FILES:
        try:
            files[name] = _read(folder / f"{name}.yaml", _MODELS[name])
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            faults.append(f"{name}.yaml cannot be read: {error}")
        except ValidationError as error:
            faults += [f"{name}.yaml {_place(one['loc'])}: {one['msg']}" for one in error.errors()]
    if faults:
        raise ContractMalformed("; ".join(faults))
    contract = Contract(**files)
    if faults := list(_judge(contract)):
        raise ContractMalformed("; ".join(faults))
    return contract


def _read(path: Path, model: type[_File]) -> _File:
    return TypeAdapter(model).validate_python(yaml.safe_load(path.read_text("utf-8")))


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "as a whole"


def _judge(contract: Contract) -> Iterator[str]:
    """What no single file shows."""
    fields = contract.fields
    for group, names in GROUPS.items():
        # A tale without any message is none.
        held = {name for name, forms in getattr(fields, group).items() if forms}
        yield from _lacks(f"fields.yaml {group}", sorted(names), dict.fromkeys(held))
    yield from _lacks("states.yaml states", Status, contract.states.states)
    yield from _lacks("types.yaml languages", Language, contract.types.languages)
    for group, name, place, message in _messages(fields):
        yield from _judge_message(place, message, fields, written=group in WRITTEN)
        named = [(one.name, "text" if one.codes else one.kind, one.required)
                 for one in message.fields if one.name]  # fmt: skip
        yield from (f"{place}: {fault}" for fault in judge_names(group, name, named))
    types = [message.type for messages in fields.tales.values() for message in messages]
    if len(set(types)) < len(types):
        yield "fields.yaml tales: two of them are of one type"
    yield from _judge_types(contract)
    if "*" not in contract.success.success:
        yield "success.yaml success: lacks *"


WRITTEN = frozenset({"notices", "questions"})
"""What the city writes; the rest it reads."""


def _messages(fields: FieldsFile) -> Iterator[tuple[str, str, str, Message]]:
    """Every message: its group, its name there, where it stands, and itself."""
    groups: Mapping[str, Mapping[Any, Message | tuple[Message, ...]]] = {
        "notices": fields.notices, "tales": fields.tales, "answers": fields.answers,
        "questions": fields.questions, "rows": fields.rows,
    }  # fmt: skip
    for group, named in groups.items():
        for name, held in named.items():
            messages = held if isinstance(held, tuple) else (held,)
            for at, message in enumerate(messages):
                which = f".{at}" if len(messages) > 1 else ""
                yield group, str(name), f"fields.yaml {group}.{name}{which}", message


def _judge_message(
    place: str, message: Message, fields: FieldsFile, *, written: bool
) -> Iterator[str]:
    if message.type.partition("/")[0] not in fields.namespaces:
        yield f"{place}.type: no such namespace"
    for one in message.fields:
        if one.value is not None and not written:
            yield f"{place}.fields: {one.element} has a value, and is read"
        if one.element in message.ignored:
            yield f"{place}.fields: {one.element} is ignored, and has a field"
    names = [one.name for one in message.fields if one.name]
    elements = [one.element for one in message.fields]
    for repeated in sorted({one for one in names if names.count(one) > 1}):
        yield f"{place}.fields: {repeated} stands twice"
    for repeated in sorted({one for one in elements if elements.count(one) > 1}):
        yield f"{place}.fields: two fields are one element, {repeated}"


def _judge_types(contract: Contract) -> Iterator[str]:
    types = contract.types.types
    ids = [one.id for one in types]
    for repeated in sorted({one for one in ids if ids.count(one) > 1}):
        yield f"types.yaml types: {repeated} stands twice"
    if contract.types.unnamed not in {None, *ids}:
        yield "types.yaml unnamed: no such type"
    yield from _lacks("types.yaml types, by law", AppealKind, {one.law: one for one in types})
    outgoing = [one.kind for one in types if one.outgoing]
    for kind in sorted(set(outgoing)):
        if outgoing.count(kind) > 1:
            yield f"types.yaml types: two are outgoing for {kind}"
    for one in sorted(set(ids) ^ set(contract.terms.terms)):
        yield f"terms.yaml terms: {one} has a type or a term, and not both"


def _lacks(place: str, wanted: Any, held: Mapping[Any, Any]) -> Iterator[str]:
    if missing := [str(one) for one in wanted if one not in held]:
        yield f"{place}: lacks {', '.join(missing)}"
