"""A line in the log for whoever tries doors: the same behind every door (ASVS 16.3.1-3)."""

import structlog

from api.errors import WATCHED
from domain.errors import Refusal

log = structlog.get_logger()


def watch(refusal: Refusal, *, route: str, who: str | None, request_id: str) -> None:
    """Tell whoever watches the logs of a refusal of somebody; of one of what they said, nothing.

    `who` is the id of who asked; ids alone, no names.
    """
    if refusal.code in WATCHED:
        log.warning(
            "refused",
            code=refusal.code,
            route=route,
            who=who,
            permission=refusal.params.get("permission"),
            request_id=request_id,
        )
