"""Draws one picture anew, inside the cell; loaded by path, imports Pillow alone.

Only the pixels pass: EXIF, GPS, XMP, ICC, comments, thumbnails, further frames and
whatever was glued before or behind the picture stay out.
"""

import io
from typing import Any

from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

# Opened by their own class: `Image.open` would try every format that Pillow knows,
# and would take the many-picture JPEG of a phone (MPO) for an animation.
OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
}
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
Answer = tuple[dict[str, Any], bytes]


def work(asked: dict[str, Any], content: bytes) -> Answer:
    # Pillow raises its bomb error from twice its limit on.
    Image.MAX_IMAGE_PIXELS = asked["max_pixels"] // 2
    try:
        image = OPENERS[asked["media_type"]](io.BytesIO(content))
        if image.width * image.height > asked["max_pixels"]:
            return _refused("too-many-pixels", asked["max_pixels"])
        if getattr(image, "n_frames", 1) > asked["max_frames"]:
            return _refused("animated", asked["max_frames"])
        image.load()
        return _encoded(_drawn_anew(image, asked["max_side"]))
    except (Image.DecompressionBombError, MemoryError):
        return _refused("too-many-pixels", asked["max_pixels"])


def _refused(rule: str, maximum: int) -> Answer:
    return {"fault": rule, "params": {"maximum": maximum}}, b""


def _drawn_anew(image: Image.Image, max_side: int) -> Image.Image:
    turn = TURNS.get(_orientation(image))
    plain = _in_plain_colours(image)
    # Made smaller before it is turned: the copies are then small ones.
    plain.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return plain.transpose(turn) if turn is not None else plain


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:
        # A broken EXIF block is no reason to refuse the photo itself.
        return 1


def _in_plain_colours(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("RGB")
    return image.convert("RGB")


def _encoded(image: Image.Image) -> Answer:
    # Savers fall back on `info` for ICC profile, comment and resolution.
    image.info.clear()
    keeps_alpha = image.mode == "RGBA"
    out = io.BytesIO()
    if keeps_alpha:
        image.save(out, "PNG")
    else:
        image.save(out, "JPEG", quality=85)
    media_type = "image/png" if keeps_alpha else "image/jpeg"
    return {"media_type": media_type, "width": image.width, "height": image.height}, out.getvalue()


def _warm_up() -> None:
    # The first use of each codec imports modules, and in the cell nothing can be opened later.
    asked = {"max_pixels": 64, "max_frames": 1, "max_side": 4}
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    for mode in ("RGB", "RGBA"):
        for media_type, opener in OPENERS.items():
            sample = io.BytesIO()
            drawn = Image.new(mode if opener.format != "JPEG" else "RGB", (8, 4))
            drawn.save(sample, opener.format, exif=exif)
            work({"media_type": media_type, **asked}, sample.getvalue())


_warm_up()
