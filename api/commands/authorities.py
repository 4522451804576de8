"""The city's own authorities for TLS, looked at before anything is sent."""

from api.commands.console import Failure
from api.settings import Settings


def require_authorities(settings: Settings) -> tuple[int, int]:
    """How many authorities endpoints' certificates may come from: all, and of the city's own file.

    Of the machine's those count that lie in one file; a folder is read when it is needed.
    Raises Failure where the city's file is none.
    """
    from integrations.webhooks.authorities import AuthoritiesMalformed, trusted

    try:
        every = trusted(settings.webhook_authorities).cert_store_stats()["x509"]
    except AuthoritiesMalformed as error:
        raise Failure(
            f"IKOMEK_WEBHOOK_AUTHORITIES cannot be used: {error}.",
            "It names a PEM file of certificates (docs/operations.md).",
        ) from None
    return every, every - trusted().cert_store_stats()["x509"]
