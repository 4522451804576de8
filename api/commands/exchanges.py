"""The file of the exchange with the national register, judged before anything is sent by it."""

import os
from pathlib import Path

from api.commands.console import Failure


def judged(path: Path) -> tuple[tuple[str, ...], int, int]:
    """The cities of the file; how many things of its contract were seen, how many are recalled.

    Raises Failure with every fault.
    """
    # Pydantic's models, lxml and signxml are of no use to most commands.
    from integrations.eotinish.config import ExchangeMalformed
    from integrations.eotinish.lines import judge_file

    try:
        settings, contract = judge_file(path, os.environ)
    except ExchangeMalformed as error:
        raise Failure(
            f"The exchange with the national register cannot begin: {error}.",
            "docs/eotinish.md explains each key.",
        ) from None
    return (tuple(one.city for one in settings.cities), *contract.seen())
