"""The tables without a wall, each with its reason; every other one is behind one.

`ikomek doctor` and the tests ask the database whether that is so. A new table that holds
something of an organisation or of a person gets its walls with the revision that makes it
(migrations/walls.py).
"""

_AGREED = "what a city has agreed on; it is shown to everybody"
_PUBLIC_LOG = "hashes and signatures, kept so that anybody can ask for them"
_NUMBERS = "free numbers, of which no one is anybody's yet"

OPEN_TABLES = {
    "city": _AGREED,
    "sphere": _AGREED,
    "category": _AGREED,
    "service_version": _AGREED,
    "calendar_version": _AGREED,
    "policy_version": _AGREED,
    "channel_policy": _AGREED,
    "law_version": _AGREED,
    "organisation": "who there is, as the city's directory tells it",
    "district": _AGREED,
    "street": _AGREED,
    "building": _AGREED,
    "territory": _AGREED,
    "responsibility": _AGREED,
    "number_series": _NUMBERS,
    "number_pool": _NUMBERS,
    "log_leaf": _PUBLIC_LOG,
    "log_tile": _PUBLIC_LOG,
    "log_key": _PUBLIC_LOG,
    "checkpoint": _PUBLIC_LOG,
    "cosignature": _PUBLIC_LOG,
    "day_end": "which checkpoint ended a day",
    "log_cursor": "how far the sealing is",
}
