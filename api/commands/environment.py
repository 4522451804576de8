"""Settings as the command line has them, and as it tells them to other processes."""

from datetime import datetime
from typing import Any

import orjson

from api.settings import Settings

PASSED_ON = (
    "home", "host", "port", "workers", "warp_from", "warp_since", "warp_until",
    "webhook_allow_http", "webhook_allowed_networks",
)  # fmt: skip
KEPT_BACK = ("DATABASE_OWNER_URL", "IKOMEK_DATABASE_OWNER_URL")
"""No role that runs for long needs the owner's rights (law 1)."""


def read_settings(**chosen: Any) -> Settings:
    """The environment's settings, with what the command line chose itself."""
    return Settings(**{name: value for name, value in chosen.items() if value is not None})


def environment(settings: Settings) -> dict[str, str]:
    """What another process of the platform must be told to stand in the same place."""
    told = {"DATABASE_URL": settings.database_url}
    told |= {f"IKOMEK_{name.upper()}": _text(getattr(settings, name)) for name in PASSED_ON}
    told["IKOMEK_HOME"] = str(settings.home.resolve())
    return {name: value for name, value in told.items() if value is not None}


def _text(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return orjson.dumps(value).decode()
    return None if value is None else str(value)
