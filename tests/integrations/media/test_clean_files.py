"""What an honest resident sends arrives, and arrives whole."""

import hashlib
import io
import zlib

import pytest
from PIL import Image

from domain.attachments import MAX_SIDE, MediaKind
from tests.integrations.media import files
from tests.integrations.media.files import IIN, object_stream, pdf


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def pixel(image: Image.Image, at: tuple[int, int]) -> tuple[int, ...]:
    found = image.getpixel(at)
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
async def test_a_photo_arrives_as_a_jpeg(cleaner, format_name):
    original = files.picture(format_name)
    clean = await cleaner.clean(original, None)
    assert (clean.kind, clean.media_type) == (MediaKind.IMAGE, "image/jpeg")
    assert opened(clean.content).format == "JPEG"
    assert (clean.width, clean.height) == opened(clean.content).size == (64, 48)


async def test_the_register_can_name_the_file_as_it_was_sent(cleaner):
    original = files.picture()
    clean = await cleaner.clean(original, None)
    assert clean.original_sha256 == hashlib.sha256(original).hexdigest()
    assert clean.content != original


@pytest.mark.parametrize("format_name", ["PNG", "WEBP"])
async def test_a_drawing_with_clear_parts_keeps_them(cleaner, format_name):
    drawn = Image.new("RGBA", (20, 10), (0, 0, 255, 0))
    drawn.paste((255, 0, 0, 255), (0, 0, 10, 10))
    out = io.BytesIO()
    drawn.save(out, format_name, lossless=True)
    clean = await cleaner.clean(out.getvalue(), None)
    kept = opened(clean.content)
    assert (kept.format, pixel(kept, (2, 2))) == ("PNG", (255, 0, 0, 255))
    assert pixel(kept, (15, 5))[3] == 0


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_stands_upright_however_the_phone_was_held(cleaner, orientation):
    clean = await cleaner.clean(files.exif_photo(orientation), None)
    kept = opened(clean.content)
    turned = orientation > 4
    assert kept.size == ((48, 64) if turned else (64, 48))
    right, low = (orientation in (2, 3, 6, 7)), (orientation in (3, 4, 7, 8))
    corner = (kept.width - 4 if right else 3, kept.height - 4 if low else 3)
    red, green, _ = pixel(kept, corner)
    assert red > 200
    assert green < 60


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "LA"])
async def test_every_way_to_write_colours_is_read(cleaner, mode):
    format_name = "JPEG" if mode == "CMYK" else "PNG"
    source = Image.new("L", (16, 16), 128)
    drawn = Image.new("I;16", (16, 16), 32768) if mode == "I;16" else source.convert(mode)
    out = io.BytesIO()
    drawn.save(out, format_name)
    kept = opened((await cleaner.clean(out.getvalue(), None)).content)
    if mode != "1":
        assert kept.convert("L").getpixel((8, 8)) == pytest.approx(128, abs=4)


async def test_a_large_photo_is_made_smaller_and_keeps_its_shape(cleaner):
    clean = await cleaner.clean(files.picture(size=(6000, 3000)), None)
    assert (clean.width, clean.height) == (MAX_SIDE, MAX_SIDE // 2)


async def test_a_phones_photo_with_a_second_picture_inside_is_one_photo(cleaner):
    first, second = Image.new("RGB", (32, 16), "red"), Image.new("RGB", (8, 8), "blue")
    out = io.BytesIO()
    first.save(out, "MPO", save_all=True, append_images=[second])
    clean = await cleaner.clean(out.getvalue(), "image/jpeg")
    assert (clean.width, clean.height) == (32, 16)


async def test_a_photo_with_a_broken_exif_block_is_still_a_photo(cleaner):
    photo = files.picture(exif=b"Exif\0\0MM\0*\xff\xff\xff\xff broken")
    assert (await cleaner.clean(photo, None)).width == 64


@pytest.mark.parametrize(
    "letter",
    [
        pdf(),
        pdf(b"/OpenAction [3 0 R /Fit]"),
        pdf(b"/OpenAction 4 0 R", b"[3 0 R /XYZ null null 0]"),
        pdf(b"", object_stream(b"<< /Title (JavaScript for all) >>")),
        pdf(b"", b"<< /Length 5 >>\nstream\n/JS/A\nendstream"),
        pdf(b"", b"<< /Title (About PK and JS) /AAB /JSON >>"),
        pdf(tail=b"\r\n\0\0"),
    ],
)
async def test_a_letter_arrives_byte_for_byte(cleaner, letter):
    clean = await cleaner.clean(letter, "application/pdf")
    assert (clean.kind, clean.media_type) == (MediaKind.PDF, "application/pdf")
    assert clean.content == letter
    assert clean.width is clean.height is None


async def test_a_scan_of_many_megabytes_is_not_taken_for_a_script(cleaner):
    noise = zlib.compress(Image.effect_noise((2000, 2000), 90).tobytes(), 1)
    scan = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(noise), noise)
    letter = pdf(b"", scan)
    assert (await cleaner.clean(letter, None)).content == letter


@pytest.mark.parametrize(
    ("content", "media_type", "declared"),
    [
        (files.mp3(), "audio/mpeg", "audio/mp3"),
        (files.aac(), "audio/aac", "audio/aac"),
        (files.amr(), "audio/amr", "audio/amr"),
        (files.wav(), "audio/wav", "audio/x-wav"),
        (files.ogg(), "audio/ogg", "application/ogg"),
        (files.ogg(b"\x01vorbis"), "audio/ogg", "audio/ogg; codecs=vorbis"),
        (files.m4a(), "audio/mp4", "video/mp4"),
        (files.webm(), "audio/webm", "audio/webm;codecs=opus"),
    ],
)
async def test_a_voice_message_arrives(cleaner, content, media_type, declared):
    clean = await cleaner.clean(content, declared)
    assert (clean.kind, clean.media_type) == (MediaKind.AUDIO, media_type)
    assert clean.content == content


async def test_the_notes_of_a_voice_message_stay_out(cleaner):
    notes = b"\xa9xyz+50.4111+080.2275/ " + IIN
    info = b"LIST" + len(IIN).to_bytes(4, "little") + IIN
    tagged = [files.m4a(notes=notes), files.mp3(tag=notes), files.wav(info)]
    for content in tagged:
        assert IIN in content
        assert IIN not in (await cleaner.clean(content, None)).content
    assert (await cleaner.clean(tagged[1], None)).content == files.mp3()
    assert len((await cleaner.clean(tagged[0], None)).content) == len(tagged[0])


async def test_a_claim_of_octets_is_no_claim(cleaner):
    assert (await cleaner.clean(files.picture(), "application/octet-stream")).width == 64


async def test_a_picture_of_one_kind_may_be_called_by_another_pictures_name(cleaner):
    assert (await cleaner.clean(files.picture("PNG"), "image/jpeg")).width == 64
