"""Which form of answer the caller takes (Accept, RFC 9110 §12.5.1)."""

from collections.abc import Iterator

from api.quality import quality


def accepts(header: str, media_type: str) -> bool:
    """Whether an answer of this type is taken; the most specific range that fits decides.

    Who takes JSON takes JSON of a narrower name too (`application/schema+json`).
    """
    if not header.strip():
        return True
    fitting = max(_fitting(header, media_type), default=(0, 0.0))
    return fitting[1] > 0


def _fitting(header: str, media_type: str) -> Iterator[tuple[int, float]]:
    names = {media_type: 3, f"{media_type.partition('/')[0]}/*": 1, "*/*": 0}
    if media_type.endswith("+json"):
        names["application/json"] = 2
    for part in header.split(","):
        name, _, parameters = part.partition(";")
        if (name := name.strip().lower()) in names:
            yield names[name], quality(parameters)
