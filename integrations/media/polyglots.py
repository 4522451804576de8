"""Files that are two things at once: an archive or a page glued to a document."""

import re
import struct

from domain.attachments import FileRule, refused

END_OF_ZIP = struct.Struct("<4s4H2LH")
END_OF_ZIP_SIGN = b"PK\x05\x06"
MAX_ZIP_COMMENT = 65535
HEAD_BYTES = 1024
PAGE = re.compile(
    rb"<(!doctype\s+html|html|head|body|script|iframe|svg|img|\?php|\?xml)|MZ\x90\0|\x7fELF|PK\x03\x04",
    re.IGNORECASE,
)


def check_single(content: bytes) -> None:
    """Raises Invalid `active-content` for an archive at the end or a page at the start."""
    if PAGE.search(content, 0, HEAD_BYTES):
        raise refused(FileRule.ACTIVE_CONTENT, found="page")
    if ends_as_zip(content):
        raise refused(FileRule.ACTIVE_CONTENT, found="archive")


def ends_as_zip(content: bytes) -> bool:
    """Whether an unpacker would find an archive (APPNOTE 4.3.16) at the file's end."""
    start = max(0, len(content) - END_OF_ZIP.size - MAX_ZIP_COMMENT)
    at = content.rfind(END_OF_ZIP_SIGN, start)
    while at >= 0:
        if _is_end_of_zip(content[at : at + END_OF_ZIP.size]):
            return True
        at = content.rfind(END_OF_ZIP_SIGN, start, at)
    return False


def _is_end_of_zip(record: bytes) -> bool:
    if len(record) < END_OF_ZIP.size:
        return False
    # Four chance bytes in a scan are no archive: the disk numbers and counts must fit too.
    _, disk, first_disk, here, total, *_ = END_OF_ZIP.unpack(record)
    return bool(disk == first_disk == 0 and here == total)
