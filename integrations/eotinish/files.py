"""Attachments through ХЭД, the gateway's temporary store of files: serviceId EDS_TEMP_FILES
(MIND-S-0048), namespace http://egov.bee.kz/eds/tempstorage/v2/.

A message of the gateway is limited to about 15 MB, so files do not travel in it: they are laid
here, and the message names them. An upload that is made twice leaves a file that nobody names,
which the store forgets by itself.
"""

import re
from base64 import b64decode, b64encode

from lxml import etree

from domain.eotinish.left_behind import TOO_LARGE
from domain.eotinish.model import GatewayFault, Remedy
from domain.eotinish.ports import Downloaded
from integrations.eotinish.envelope import Sender
from integrations.eotinish.faults import too_large, unfit
from integrations.eotinish.payload import TYPE, XSI, clean
from integrations.eotinish.xml import LONGEST_TEXT, Element

TEMPORARY = "http://egov.bee.kz/eds/tempstorage/v2/"
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
LIFE = 8 * 60 * 60 * 1000
"""Milliseconds that a file is kept: long enough for every try of the message that names it."""


def require_carried(content: bytes) -> None:
    """Raise GatewayFault for a file that, in base64, no envelope can hold."""
    if 4 * ((len(content) + 2) // 3) > LONGEST_TEXT:
        raise too_large(TOO_LARGE, len(content))


def write_upload(id: str, name: str, media_type: str, content: bytes, sender: Sender) -> Element:
    """The `data` of an upload of one file."""
    data, upload = _asked("UPLOAD", "uploadRequest", sender)
    file = etree.SubElement(upload, "fileUploadRequests")
    said = {
        "fileProcessIdentifier": id, "content": b64encode(content).decode(), "name": clean(name),
        "mime": media_type, "lifeTime": str(LIFE), "needToBeConfirmed": "false",
    }  # fmt: skip
    for tag, text in said.items():
        etree.SubElement(file, tag).text = text
    return data


def read_uploaded(data: Element | None, id: str) -> str:
    """The identifier of an uploaded file. Raises GatewayFault."""
    mine = _result(data, "uploadFileResults", "fileProcessIdentifier", id)
    identifier = (mine.findtext("{*}fileIdentifier") or "").strip()
    if not identifier:
        raise _refused(mine)
    return identifier


def write_download(identifier: str, sender: Sender) -> Element:
    """The `data` that asks for one file."""
    data, download = _asked("DOWNLOAD", "downloadRequest", sender)
    etree.SubElement(download, "fileIdentifiers").text = clean(identifier)
    return data


def read_downloaded(data: Element | None, identifier: str) -> Downloaded:
    """The file that was asked for. Raises GatewayFault."""
    mine = _result(data, "fileDownloadResults", "fileIdentifier", identifier)
    content = mine.find("{*}content")
    if content is None:
        raise _refused(mine)
    try:
        given = b64decode("".join((content.text or "").split()), validate=True)
    except ValueError:
        raise unfit("a file that is not base64") from None
    return Downloaded(
        name=(mine.findtext("{*}meta/{*}name") or "").strip(),
        media_type=_media_type(mine.findtext("{*}meta/{*}mime")),
        content=given,
    )


def _asked(type_: str, request: str, sender: Sender) -> tuple[Element, Element]:
    """The `data` of a request and its inner part; the credentials follow that in the schema."""
    data = etree.Element("data", nsmap={"q1": TEMPORARY, "xsi": XSI})
    data.set(TYPE, "q1:tempStorageRequest")
    etree.SubElement(data, "type").text = type_
    inner = etree.SubElement(data, request)
    credentials = etree.SubElement(data, "credentials")
    etree.SubElement(credentials, "senderId").text = sender.id
    etree.SubElement(credentials, "password").text = sender.password
    return data, inner


def _result(data: Element | None, results: str, named: str, id: str) -> Element:
    """What the store says of one file, in its namespace or in none. Raises GatewayFault."""
    found = [] if data is None else list(data.iter(f"{{*}}{results}"))
    mine = [one for one in found if (one.findtext(f"{{*}}{named}") or "").strip() == id]
    if len(mine) != 1:
        raise unfit("no file")
    return mine[0]


def _refused(result: Element) -> GatewayFault:
    said = result.findtext("{*}status/{*}message") or result.findtext("{*}status/{*}status") or ""
    return GatewayFault("file-refused", Remedy.QUARANTINE, said[:250])


def _media_type(said: str | None) -> str | None:
    """What the store claims; None for what is no media type, such as the name of an extension."""
    found = (said or "").strip().lower()
    return found if _MEDIA_TYPE.fullmatch(found) else None
