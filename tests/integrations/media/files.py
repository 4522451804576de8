"""Files that residents, phones and attackers send, made here byte by byte."""

import io
import zipfile
import zlib
from struct import pack

from PIL import Image
from PIL.PngImagePlugin import PngInfo

IIN = b"990101300123"
PAGE = b"<html><script>alert(109)</script></html>"


def picture(format_name="JPEG", size=(64, 48), mode="RGB", **options) -> bytes:
    """A real picture: a grey slope with a red corner at the top left."""
    drawn = Image.linear_gradient("L").resize(size).convert(mode)
    drawn.paste((255, 0, 0, 255)[: len(drawn.getbands())], (0, 0, size[0] // 4, size[1] // 4))
    out = io.BytesIO()
    drawn.save(out, format_name, **options)
    return out.getvalue()


def frames(format_name: str, count: int) -> bytes:
    drawn = [Image.new("RGB", (8, 8), (n % 256, n // 256, 0)) for n in range(count)]
    out = io.BytesIO()
    drawn[0].save(out, format_name, save_all=True, append_images=drawn[1:], duration=10)
    return out.getvalue()


def exif_photo(orientation=6) -> bytes:
    """A phone's photo: where it was taken, who took it, how it was held."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x013B] = IIN.decode()
    exif[0x010E] = "IIN " + IIN.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (50.0, 24.0, 40.0), 3: "E", 4: (80.0, 15.0, 0.0)})
    return picture(exif=exif, comment=IIN, xmp=b"<x:xmpmeta>" + IIN + b"</x:xmpmeta>")


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("virus.exe", b"MZ" + bytes(100))
    return out.getvalue()


def png_chunk(name: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes, rows: bytes = b"") -> bytes:
    head = png_chunk(b"IHDR", pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    body = png_chunk(b"IDAT", rows or zlib.compress(bytes((width // 8 + 1) * min(height, 40_000))))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + body + png_chunk(b"IEND", b"")


def pixel_bomb() -> bytes:
    """900 million pixels in about a hundred kilobytes."""
    return png(30_000, 30_000)


def text_bomb() -> bytes:
    """A small PNG whose comment unpacks to 80 MB, over and over."""
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(80_000_000), 9))
    return png(8, 8, *([text] * 4), rows=zlib.compress(bytes(16)))


def png_with_text() -> bytes:
    notes = PngInfo()
    notes.add_text("Author", IIN.decode())
    notes.add_itxt("XML:com.adobe.xmp", IIN.decode())
    return picture("PNG", mode="RGBA", pnginfo=notes)


def lying_webp() -> bytes:
    """A WebP whose header promises 16383 × 16383 pixels (VP8X, canvas less one in 24 bits)."""
    canvas = (16382).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + pack("<I", 10) + b"\x12\0\0\0" + canvas
    return b"RIFF" + pack("<I", len(body)) + body


def pdf(
    catalogue: bytes = b"", *objects: bytes, head: bytes = b"%PDF-1.7\n", tail: bytes = b""
) -> bytes:
    """A PDF of one empty page, with more in its catalogue and more objects behind it."""
    body = head + b"%\xe2\xe3\xcf\xd3\n"
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R " + catalogue + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
        *objects,
    ]
    offsets = []
    for number, content in enumerate(bodies, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    rows = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + rows
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return body + table + trailer % (len(bodies) + 1, len(body)) + tail


def object_stream(inside: bytes, kind=b"/ObjStm", more=b"", packed: bytes | None = None) -> bytes:
    data = zlib.compress(b"7 0 " + inside) if packed is None else packed
    entries = b"/Type %s /N 1 /First 4 /Filter /FlateDecode %s /Length %d" % (kind, more, len(data))
    return b"<< " + entries + b" >>\nstream\n" + data + b"\nendstream"


def wav(*chunks: bytes) -> bytes:
    form = b"fmt " + pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + form + b"".join(chunks) + b"data" + pack("<I", 800) + b"\x80" * 800
    return b"RIFF" + pack("<I", len(body)) + body


def mp3(tag=b"") -> bytes:
    """Ten silent frames of 128 kbit/s at 44.1 kHz: 417 bytes each."""
    head = b"ID3\x04\0\0" + bytes([0, 0, len(tag) >> 7, len(tag) & 127]) + tag if tag else b""
    return head + (b"\xff\xfb\x90\x00" + bytes(413)) * 10


def aac() -> bytes:
    return (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)) * 5


def amr() -> bytes:
    return b"#!AMR\n" + (b"\x3c" + b"\x55" * 31) * 20


def ogg(codec: bytes = b"OpusHead\x01\x01") -> bytes:
    return b"OggS\0\x02" + bytes(20) + b"\x01" + bytes([len(codec)]) + codec + bytes(200)


def webm(codec: bytes = b"A_OPUS") -> bytes:
    return b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm" + bytes(40) + codec + bytes(100)


def box(name: bytes, content: bytes) -> bytes:
    return pack(">I", len(content) + 8) + name + content


def m4a(handler=b"soun", notes=b"") -> bytes:
    track = box(b"mdia", box(b"hdlr", bytes(8) + handler + bytes(13)))
    moov = box(b"moov", box(b"trak", track) + (box(b"udta", notes) if notes else b""))
    return box(b"ftyp", b"M4A \0\0\0\0M4A isom") + moov + box(b"mdat", b"sound" * 40)
