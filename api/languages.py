"""Which language the caller reads (Accept-Language, RFC 9110 §12.5.4)."""

from domain.values import Language

DEFAULT = Language.RU
_LONGEST = 200


def preferred(header: str | None) -> str:
    """The best of kk, ru and en for the header; Russian where nothing fits."""
    best, weight = str(DEFAULT), 0.0
    for part in (header or "")[:_LONGEST].split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().lower().split("-")[0]
        quality = _quality(parameters)
        if language in set(Language) and quality > weight:
            best, weight = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
