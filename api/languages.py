"""Which language the caller reads (Accept-Language, RFC 9110 §12.5.4)."""

from api.quality import quality
from domain.values import Language

DEFAULT = Language.RU
LONGEST = 200
ALIASES = {"kz": "kk"}
"""What people write for a language: the country's code for Kazakh, most of all."""


def preferred(header: str | None) -> str:
    """The best of kk, ru and en for the header; Russian where nothing fits."""
    best, weight = str(DEFAULT), 0.0
    for part in (header or "")[:LONGEST].split(","):
        tag, _, parameters = part.partition(";")
        said = tag.strip().lower().split("-")[0]
        language = ALIASES.get(said, said)
        wanted = quality(parameters)
        if language in set(Language) and wanted > weight:
            best, weight = language, wanted
    return best
