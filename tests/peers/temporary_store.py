"""ХЭД for the stand-in of the national register: files lie here, and messages name them."""

import threading
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any
from uuid import uuid4

from lxml import etree

from tests.peers.soap import Element, texts, typed

FILES = "http://egov.bee.kz/eds/tempstorage/v2/"
WELL = {"code": "0", "status": "OK", "message": "OK"}


class Store:
    """Files by their identifiers."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}

    def upload(self, data: Element) -> Element:
        """Files that are laid there."""
        answer, response = _stored("UPLOAD", "uploadResponse")
        for file in data.iterfind("uploadRequest/fileUploadRequests"):
            content = b64decode(file.findtext("content", ""))
            id = self.lay(file.findtext("name", ""), file.findtext("mime"), content)
            result = etree.SubElement(response, "uploadFileResults")
            texts(result, fileProcessIdentifier=file.findtext("fileProcessIdentifier", ""))
            texts(etree.SubElement(result, "status"), **WELL)
            texts(result, fileIdentifier=id)
        texts(etree.SubElement(response, "status"), **WELL)
        return answer

    def lay(self, name: str, mime: str | None, content: bytes) -> str:
        """A file in the temporary store; its identifier."""
        id = str(uuid4())
        with self.lock:
            self.files[id] = {
                "name": name, "mime": mime, "sha256": sha256(content).hexdigest(),
                "size": len(content),
            }  # fmt: skip
            self.contents[id] = content
        return id

    def download(self, data: Element, gone: bool) -> Element:
        """Files that are asked for; one that is not there says so, and while `gone` none is."""
        answer, response = _stored("DOWNLOAD", "downloadResponse")
        for asked in data.iterfind("downloadRequest/fileIdentifiers"):
            id = asked.text or ""
            result = etree.SubElement(response, "fileDownloadResults")
            status = etree.SubElement(result, "status")
            texts(result, fileIdentifier=id)
            if id not in self.files or gone:
                texts(status, code="1", status="ERROR", message="no such file")
                continue
            texts(status, **WELL)
            texts(result, content=b64encode(self.contents[id]).decode())
            texts(etree.SubElement(result, "meta"), name=self.files[id]["name"],
                   **({"mime": said} if (said := self.files[id]["mime"]) else {}),
                   size=str(len(self.contents[id])))  # fmt: skip
        texts(etree.SubElement(response, "status"), **WELL)
        return answer


def _stored(type_: str, response: str) -> tuple[Element, Element]:
    """An answer of the temporary store, and its inner part."""
    answer = typed(FILES, "tempStorageResponse")
    texts(answer, type=type_)
    return answer, etree.SubElement(answer, response)
