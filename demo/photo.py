"""Pictures that residents and executors take: drawn, small, and real JPEG files."""

from io import BytesIO
from random import Random

from PIL import Image, ImageDraw

SIZE = (480, 360)
_ASPHALT, _IRON, _HOLE, _TAPE = (104, 104, 108), (72, 66, 60), (12, 12, 14), (226, 64, 40)


def photo(number: int, *, done: bool) -> bytes:
    """A manhole on a street, covered when `done`; the same bytes for the same number."""
    random = Random(number)
    image = Image.new("RGB", SIZE, _ASPHALT)
    draw = ImageDraw.Draw(image)
    for _ in range(500):
        x, y = random.randrange(SIZE[0]), random.randrange(SIZE[1])
        grey = random.randint(80, 130)
        draw.point((x, y), (grey, grey, grey))
    x, y = random.randint(150, 330), random.randint(130, 230)
    _cover(draw, x, y) if done else _open(draw, x, y)
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


def _cover(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    draw.ellipse((x - 90, y - 60, x + 90, y + 60), _IRON, outline=(40, 36, 32), width=5)
    for step in range(-60, 61, 20):
        draw.line((x + step, y - 40, x + step, y + 40), (96, 90, 82), width=4)
    draw.text((x - 12, y - 6), "109", (190, 180, 160))


def _open(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    draw.ellipse((x - 90, y - 60, x + 90, y + 60), _HOLE, outline=_IRON, width=8)
    for side in (-120, 120):
        draw.line((x + side, y - 90, x + side, y + 90), _TAPE, width=8)
    draw.line((x - 120, y - 80, x + 120, y - 80), _TAPE, width=6)
