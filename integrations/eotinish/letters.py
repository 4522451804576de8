"""What an inspector sees of a message in quarantine: its elements, and of persons nothing."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lxml import etree

from domain.eotinish.model import GatewayFault
from integrations.eotinish.config import ExchangeMalformed, contract_folder
from integrations.eotinish.contract import ContractMalformed, read_contract
from integrations.eotinish.payload import TYPE
from integrations.eotinish.xml import parse

MASK = "***"
MOST = 60
LONGEST = 2000


def show_letter(document: bytes, file: Path | None = None) -> Mapping[str, str]:
    """Path of each element → its text, in the order of the message. An element that the contract
    does not know, or knows to tell of a person, is masked; it is the contract that the exchange's
    `file` names, and every element is masked where that cannot be read.
    """
    try:
        root = parse(document)
    except GatewayFault:
        return {}
    shown = {"type": root.get(TYPE, "").rpartition(":")[2][:80]}
    harmless = _harmless(file)
    for element in root.iter():
        text = (element.text or "").strip()
        if len(element) or not text or element is root:
            continue
        path = "/".join(etree.QName(one).localname for one in _down_to(element, root))[:120]
        shown[path] = text[:LONGEST] if path in harmless else MASK
        if len(shown) > MOST:
            break
    return shown


def _down_to(element: etree._Element, root: etree._Element) -> list[etree._Element]:
    above = [one for one in element.iterancestors() if one is not root]
    return [*reversed(above), element]


@cache
def _harmless(file: Path | None) -> frozenset[str]:
    try:
        contract = read_contract(contract_folder(file))
    except (ContractMalformed, ExchangeMalformed):
        return frozenset()
    fields = [one for _, message in contract.told.values() for one in message.fields]
    personal = {one.element for one in fields if one.personal}
    return frozenset(one.element for one in fields) - personal
