"""The keys that sign webhooks by the scheme v1a."""

from datetime import timedelta
from typing import Annotated

from cyclopts import Parameter, validators

from api.bootstrap import make_webhook_keys
from api.clock import real
from api.commands.console import note, say
from api.commands.database import Office, in_office
from domain.webhooks.keys import OVERLAP, WebhookKey

Days = Annotated[int, Parameter(validator=validators.Number(gte=0, lte=365))]


def rotate_webhook_key(
    *,
    overlap_days: Days = OVERLAP.days,
    withdraw: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Make the next key. It signs within seconds, beside those before.

    Parameters
    ----------
    overlap_days
        How long those go on signing: receivers that wrote a key down have to change by then.
    withdraw
        They sign no more at all: for when somebody else may have one. Receivers that know no
        other refuse messages, which are tried again by schedule.
    """

    async def work(at: Office) -> WebhookKey:
        keys = make_webhook_keys(at.engine, at.keyring)
        return await keys.rotate(real(), overlap=timedelta(days=overlap_days), withdraw=withdraw)

    key = in_office(work)
    say(f"{key.kid} signs webhooks: {key.shown}")
    note("Receivers find it at /v1/webhook-keys.")
