"""Whatever somebody sends, the city answers with a refusal or with a harmless file."""

import asyncio
import io
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from domain.attachments import MAX_BYTES, CleanFile, MediaKind
from domain.errors import Invalid
from tests.integrations.media import files
from tests.integrations.media.files import IIN, PAGE, object_stream, pdf

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
XXE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
EXE = b"MZ\x90\0" + bytes(60) + b"PE\0\0" + bytes(200)
SCRIPT = b"<< /S /JavaScript /JS (app.alert(109)) >>"

HOSTILE = {
    "nothing at all": (b"", "empty"),
    "one zero byte": (b"\0", "unsupported-type"),
    "a megabyte of zeros": (bytes(1 << 20), "unsupported-type"),
    "an SVG with a script": (SVG, "unsupported-type"),
    "an SVG behind spaces and a comment": (b"  <!-- -->" + SVG, "unsupported-type"),
    "XML that reads the server's files": (XXE, "unsupported-type"),
    "a page": (PAGE, "unsupported-type"),
    "a program for Windows": (EXE, "unsupported-type"),
    "a program for Linux": (b"\x7fELF\x02\x01\x01" + bytes(200), "unsupported-type"),
    "a shell script": (b"#!/bin/sh\nrm -rf /\n", "unsupported-type"),
    "an archive": (files.archive(), "unsupported-type"),
    "a photo as Apple keeps it": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
    "a film": (files.m4a(handler=b"vide"), "unsupported-type"),
    "a film of a browser": (files.webm(codec=b"V_VP9"), "unsupported-type"),
    "a GIF of 3,000 frames": (partial(files.frames, "GIF", 3000), "unsupported-type"),
    "an animated PNG": (files.frames("PNG", 40), "animated"),
    "an animated WebP": (files.frames("WEBP", 40), "animated"),
    "900 megapixels in 109 KB": (files.pixel_bomb, "too-many-pixels"),
    "a WebP that promises 268 megapixels": (files.lying_webp(), "too-many-pixels"),
    "a comment that unpacks to 320 MB": (files.text_bomb, "damaged"),
    "half a photo": (files.picture(size=(640, 480))[:3000], "damaged"),
    "half a PNG": (files.picture("PNG", size=(640, 480))[:500], "damaged"),
    "half a WebP": (files.picture("WEBP", size=(640, 480))[:200], "damaged"),
    "a photo's first bytes alone": (b"\xff\xd8\xff\xe0", "damaged"),
    "a photo's first bytes and a page": (b"\xff\xd8\xff\xe0" + PAGE * 50, "damaged"),
    "a PDF that ends early": (pdf()[:-10], "damaged"),
    "a PDF's first bytes alone": (b"%PDF-1.7\n", "damaged"),
    "a PDF behind something else": (b"\n" + pdf(), "unsupported-type"),
    "a PDF with a script": (pdf(b"/OpenAction 4 0 R", SCRIPT), "active-content"),
    "a script hidden by escapes": (
        pdf(b"", b"<< /S /J#61vaScr#69pt /#4a#53 (app.alert(109)) >>"),
        "active-content",
    ),
    "a script of a drawing": (pdf(b"", b"<< /S /Other /JS 9 0 R >>"), "active-content"),
    "a script behind a comment": (pdf(b"", b"<< /JS%\n(app.alert(1)) >>"), "active-content"),
    "a script in an object stream": (pdf(b"", object_stream(SCRIPT)), "active-content"),
    "an escaped script in an escaped object stream": (
        pdf(b"", object_stream(SCRIPT.replace(b"/J", b"/#4A"), kind=b"/Obj#53tm")),
        "active-content",
    ),
    "an object stream packed twice": (
        pdf(b"", object_stream(b"<< >>").replace(b"/FlateDecode", b"[/LZWDecode /FlateDecode]")),
        "active-content",
    ),
    "an object stream behind a predictor": (
        pdf(b"", object_stream(b"<< >>", more=b"/DecodeParms << /Predictor 12 >>")),
        "active-content",
    ),
    "an object stream that does not unpack": (
        pdf(b"", object_stream(b"", packed=b"no zlib")),
        "active-content",
    ),
    "an object stream that unpacks to 90 MB": (
        lambda: pdf(b"", object_stream(b" " * 90_000_000)),
        "active-content",
    ),
    "an object stream typed from afar": (
        pdf(b"", object_stream(SCRIPT, kind=b"5 0 R"), b"/ObjStm"),
        "active-content",
    ),
    "a PDF that starts a program": (
        pdf(b"/OpenAction << /S /Launch /F (cmd.exe) >>"),
        "active-content",
    ),
    "a PDF that acts when opened": (
        pdf(b"/OpenAction << /S /URI /URI (http://a.b) >>"),
        "active-content",
    ),
    "a PDF that acts when a page is opened": (
        pdf(b"/AA << /O 4 0 R >>", b"<< /S /URI >>"),
        "active-content",
    ),
    "a PDF with a file inside": (
        pdf(b"/Names << /EmbeddedFiles 4 0 R >>", b"<< >>"),
        "active-content",
    ),
    "an encrypted PDF": (
        pdf(tail=b"").replace(b"/Root", b"/Encrypt 4 0 R /Root"),
        "active-content",
    ),
    "a PDF with an archive behind it": (pdf(tail=files.archive()), "active-content"),
    "a PDF with an archive before its end": (
        pdf(tail=files.archive() + b"\nstartxref\n0\n%%EOF\n"),
        "active-content",
    ),
    "a PDF with a page in its head": (pdf(head=b"%PDF-1.7\n%" + PAGE + b"\n"), "active-content"),
    "a PDF of millions of escapes": (pdf(b"", b"#41" * 1_000_000), "active-content"),
    "a PDF of millions of streams": (pdf(b"", b"stream\n" * 1_000_000), "active-content"),
    "a PDF with something behind it": (pdf(tail=b"MZ program"), "active-content"),
    "sound with an archive behind it": (files.mp3() + files.archive(), "active-content"),
    "sound of one frame": (files.mp3()[:417], "damaged"),
    "a recording that is no recording": (b"#!AMR\n" + EXE, "damaged"),
    "a WAV that promises more": (files.wav()[:-10], "damaged"),
    "a WAV without sound": (b"RIFF\x04\0\0\0WAVE", "damaged"),
    "an M4A whose boxes overlap": (files.m4a()[:-5], "damaged"),
}


@pytest.mark.parametrize(("content", "rule"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_file_is_refused_by_its_rule(cleaner, content, rule):
    # The largest are made where they are needed, and not by everybody who collects the tests.
    content = content() if callable(content) else content
    with pytest.raises(Invalid) as refusal:
        await cleaner.clean(content, None)
    assert [(fault.pointer, fault.rule) for fault in refusal.value.faults] == [("/file", rule)]


@pytest.mark.parametrize(
    "glued", [files.archive(), PAGE, SVG, EXE], ids=["archive", "page", "svg", "program"]
)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
async def test_what_is_glued_behind_a_picture_stays_out(cleaner, format_name, glued):
    clean = await cleaner.clean(files.picture(format_name) + glued, None)
    assert glued[:30] not in clean.content
    assert b"PK\x05\x06" not in clean.content
    assert (clean.width, clean.height) == (64, 48)


@pytest.mark.parametrize("marker", [b"\xff\xfe", b"\xff\xe1", b"\xff\xed"])
async def test_a_page_in_the_segments_of_a_photo_stays_out(cleaner, marker):
    photo = files.picture()
    segment = marker + (len(PAGE) + 2).to_bytes(2, "big") + PAGE
    clean = await cleaner.clean(photo[:2] + segment + photo[2:], None)
    assert b"<script>" not in clean.content


async def test_nobody_learns_from_a_photo_where_and_by_whom_it_was_taken(cleaner):
    original = files.exif_photo()
    assert IIN in original
    clean = await cleaner.clean(original, "image/jpeg")
    kept = Image.open(io.BytesIO(clean.content))
    assert not kept.getexif()
    assert not kept.info.keys() - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert IIN not in clean.content


async def test_notes_of_a_png_stay_out(cleaner):
    original = files.png_with_text()
    assert IIN in original
    clean = await cleaner.clean(original, "image/png")
    assert IIN not in clean.content
    assert clean.media_type == "image/png"


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (files.picture(), "application/pdf"),
        (files.picture(), "text/html"),
        (files.picture(), "image/svg+xml"),
        (files.picture(), "audio/mpeg"),
        (files.picture(), "nonsense"),
        (pdf(), "image/png"),
        (files.mp3(), "application/pdf"),
        (files.wav(), "image/webp"),
    ],
)
async def test_a_file_of_another_kind_than_claimed_is_refused(cleaner, content, declared):
    with pytest.raises(Invalid) as refusal:
        await cleaner.clean(content, declared)
    assert refusal.value.faults[0].rule == "type-mismatch"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (MediaKind.IMAGE, files.picture()),
        (MediaKind.PDF, pdf()),
        (MediaKind.AUDIO, files.mp3()),
    ],
)
async def test_a_file_above_the_size_of_its_kind_is_refused(cleaner, kind, content):
    with pytest.raises(Invalid) as refusal:
        await cleaner.clean(content + bytes(MAX_BYTES[kind]), None)
    assert refusal.value.faults[0].rule == "too-large"


HEADS = [files.picture(), files.picture("PNG"), files.picture("WEBP"), pdf()]
SOUNDS = [files.mp3(b"x" * 90), files.aac(), files.amr(), files.wav(), files.ogg(), files.m4a()]


@given(st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_no_bytes_make_anything_but_a_refusal(cleaner, data):
    """Real files with bytes changed, cut or put in: a clean file or Invalid, nothing else."""
    content = bytearray(data.draw(st.sampled_from(HEADS + SOUNDS)))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    outcomes = await asyncio.gather(cleaner.clean(bytes(content), None), return_exceptions=True)
    assert isinstance(outcomes[0], CleanFile | Invalid)
