"""The `data` of an envelope: fields of the contract, written in its order and read strictly."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

from lxml import etree

from domain.eotinish.model import Poison, Tale, Told
from integrations.eotinish.contract import Contract, Field_, Message
from integrations.eotinish.names import COMPANY, PARTS
from integrations.eotinish.xml import Element

XSI = "http://www.w3.org/2001/XMLSchema-instance"
TYPE = f"{{{XSI}}}type"

Values = Mapping[str, object]


def write_data(message: Message, values: Values, contract: Contract) -> Element:
    """The `data` element of a message. Raises Poison for a field that is missing or too long."""
    namespace = contract.namespace_of(message)
    data = etree.Element("data", nsmap={"q1": namespace, "xsi": XSI})
    data.set(TYPE, f"q1:{message.type.partition('/')[2]}")
    name = values.get("name")
    parts = contract.fields.names.split(None if name is None else str(name))
    _fill(data, message, {**parts, **values})
    return data


def _fill(parent: Element, message: Message, values: Values) -> None:
    for one in message.fields:
        value = one.value if one.value is not None else values.get(one.name)
        if value is None or value == []:
            if one.required:
                raise Poison("field-missing", one.name)
            continue
        above, _, below = one.element.rpartition("/")
        place = parent if not above else _child(parent, above)
        for text in _texts(one, value):
            etree.SubElement(place, below).text = text


def _child(parent: Element, name: str) -> Element:
    """The element that groups several fields; they follow each other in the contract."""
    last = parent[-1] if len(parent) else None
    return last if last is not None and last.tag == name else etree.SubElement(parent, name)


def _texts(one: Field_, value: object) -> list[str]:
    if one.kind == "texts":
        if not isinstance(value, list | tuple):
            raise Poison("field-malformed", one.name)
        return [_text(one, part) for part in value]
    return [_text(one, value)]


def _text(one: Field_, value: object) -> str:
    if one.codes:
        text = dict(one.codes).get(str(value), "")
        if not text:
            raise Poison("field-malformed", one.name)
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, datetime):
        text = write_instant(value)
    else:
        text = str(value)
    if len(text) > one.max:
        raise Poison("field-too-long", one.name)
    return clean(text)


def clean(text: str) -> str:
    """A text without what XML 1.0 cannot hold (§2.2): control characters and lone surrogates."""
    return "".join(
        c for c in text
        if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )  # fmt: skip


def write_instant(at: datetime) -> str:
    """xsd:dateTime with milliseconds, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def read_told(data: Element, contract: Contract) -> Told:
    """What a message of the state tells. Raises Poison for one that is none of the contract."""
    known = contract.told.get(_type_of(data))
    if known is None:
        raise Poison("unknown-message", _type_of(data)[1])
    tale, message = known
    values = _named(read_values(data, message, contract), contract)
    if tale is Tale.ASSIGNED and contract.types.unnamed is not None:
        values.setdefault("type", contract.types.unnamed)
    number, version = values.pop("number"), values.pop("version")
    if not isinstance(version, int) or not 1 <= version < 2**31:
        raise Poison("field-malformed", "version")
    return Told(tale, str(number), version, values)


def _named(values: dict[str, object], contract: Contract) -> dict[str, object]:
    """With each name whole, and without its parts."""
    for whole, before in (("name", ""), ("author", "author_")):
        joined = contract.fields.names.join(values, before)
        for part in (*PARTS, COMPANY):
            values.pop(f"{before}{part}", None)
        if joined is not None:
            values.setdefault(whole, joined)
    return values


def peek(data: Element, contract: Contract) -> tuple[str | None, int | None, str | None]:
    """Number, version and tale, each as far as it can be read, however unsound the rest is. What
    does not stand where its type has it, or is of an unknown type, is read where others have it.
    """
    tale, message = contract.told.get(_type_of(data), (None, None))
    number, version = (
        _only(data, contract.places(name, message)) or _only(data, contract.places(name, None))
        for name in ("number", "version")
    )
    version = version or ""
    counted = int(version) if version.isascii() and version.isdigit() and len(version) < 11 else 0
    return (
        number if number is not None and len(number) <= 60 else None,
        counted if 1 <= counted < 2**31 else None,
        None if tale is None else str(tale),
    )


def _only(data: Element, places: Iterable[str]) -> str | None:
    """The one text that stands in any of these places; None for several that contradict."""
    texts = {(found.text or "").strip() for place in places for found in data.iterfind(place)}
    texts.discard("")
    return texts.pop() if len(texts) == 1 else None


def read_values(element: Element, message: Message, contract: Contract) -> dict[str, object]:
    """The fields of an element. Raises Poison for what the contract does not know."""
    known = _known(message, contract.fields.ignored)
    for child in element:
        tag = str(child.tag)
        paths = [tag] if known(tag) else [f"{tag}/{inner.tag}" for inner in child] or [f"{tag}/"]
        for path in paths:
            if not known(path):
                raise Poison("field-unknown", path.removesuffix("/")[:80])
    values: dict[str, object] = {}
    for one in message.fields:
        texts = [(found.text or "").strip() for found in element.iterfind(one.element)]
        if (value := _value(one, texts)) is not None:
            values[one.name] = value
    return values


@lru_cache(maxsize=256)
def _known(message: Message, ignored: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a path is one of the contract's: a field's or an ignored one's, or that of a group
    that came empty.
    """
    whole = {one.element for one in message.fields}
    said = (*message.ignored, *ignored)
    whole |= {one for one in said if not one.endswith("*")}
    whole |= {f"{one.partition('/')[0]}/" for one in whole if "/" in one}
    beginnings = tuple(one.removesuffix("*") for one in said if one.endswith("*"))
    return lambda path: path in whole or path.startswith(beginnings)


def _value(one: Field_, texts: list[str]) -> object | None:
    texts = [text for text in texts if text]
    if not texts:
        if one.required:
            raise Poison("field-missing", one.name)
        return None
    if any(len(text) > one.max for text in texts):
        raise Poison("field-too-long", one.name)
    if one.kind == "texts":
        return texts
    if len(texts) > 1:
        raise Poison("field-repeated", one.name)
    try:
        if one.codes:
            return {theirs: ours for ours, theirs in one.codes}[texts[0]]
        return _READ[one.kind](texts[0])
    except (ValueError, KeyError):
        raise Poison("field-malformed", one.name) from None


def _long(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63 or len(text) > 20:
        raise ValueError(text)
    return value


def read_instant(text: str) -> datetime:
    """An instant of xsd:dateTime; one without an offset is UTC, as the gateway's own are."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


_READ: Mapping[str, Callable[[str], object]] = {
    "text": str,
    "long": _long,
    "date": read_instant,
    "boolean": {"true": True, "1": True, "false": False, "0": False}.__getitem__,
}


def _type_of(data: Element) -> tuple[str, str]:
    """Namespace and name of an element's xsi:type."""
    prefix, _, name = data.get(TYPE, "").rpartition(":")
    return data.nsmap.get(prefix or None) or "", name
