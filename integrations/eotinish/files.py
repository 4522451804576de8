"""Attachments through ХЭД, the gateway's temporary store of files: serviceId EDS_TEMP_FILES
(MIND-S-0048), namespace http://egov.bee.kz/eds/tempstorage/v2/.

A message of the gateway is limited to about 15 MB, so files do not travel in it: they are laid
here, and the message names them. An upload that is made twice leaves a file that nobody names,
which the store forgets by itself.
"""

from base64 import b64encode

from lxml import etree

from domain.eotinish.model import GatewayFault, Remedy
from integrations.eotinish.envelope import Sender
from integrations.eotinish.faults import unfit
from integrations.eotinish.payload import TYPE, XSI, clean
from integrations.eotinish.xml import Element

TEMPORARY = "http://egov.bee.kz/eds/tempstorage/v2/"
LIFE = 8 * 60 * 60 * 1000
"""Milliseconds that a file is kept: long enough for every try of the message that names it."""


def write_upload(id: str, name: str, media_type: str, content: bytes, sender: Sender) -> Element:
    """The `data` of an upload of one file."""
    data = etree.Element("data", nsmap={"q1": TEMPORARY, "xsi": XSI})
    data.set(TYPE, "q1:tempStorageRequest")
    etree.SubElement(data, "type").text = "UPLOAD"
    credentials = etree.SubElement(data, "credentials")
    etree.SubElement(credentials, "senderId").text = sender.id
    etree.SubElement(credentials, "password").text = sender.password
    upload = etree.SubElement(data, "uploadRequest")
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
    results = [] if data is None else list(data.iter("uploadFileResults"))
    mine = [one for one in results if one.findtext("fileProcessIdentifier") == id]
    if len(mine) != 1:
        raise unfit("no file")
    identifier = (mine[0].findtext("fileIdentifier") or "").strip()
    if not identifier:
        said = mine[0].findtext("status/message") or ""
        raise GatewayFault("file-refused", Remedy.QUARANTINE, said[:250])
    return identifier
