"""The file of identity providers, judged before anybody logs in by it."""

import os

from api.commands.console import Failure
from api.settings import Settings


def codes(settings: Settings) -> tuple[str, ...]:
    """The providers by code; none without a file. Raises Failure with every fault of the file."""
    if settings.providers is None:
        return ()
    # Pydantic's models of it take a while, and most commands need none.
    from integrations.egov.config import ProvidersMalformed, read_file

    try:
        return read_file(settings.providers, os.environ).codes
    except ProvidersMalformed as error:
        raise Failure(
            f"The file of identity providers cannot be used: {error}.",
            "docs/login.md explains each key.",
        ) from None


def require_sound(settings: Settings) -> None:
    """Let nobody find out at their login that the file is wrong. Raises Failure."""
    codes(settings)
