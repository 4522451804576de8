"""The keys that sign tokens. They are renewed by age; this is for those who cannot wait."""

from typing import Annotated

from cyclopts import Parameter

from api.bootstrap import make_token_keys
from api.clock import real
from api.commands.console import say
from api.commands.database import Office, in_office
from domain.identity.signing_keys import SigningKey


def rotate_token_key(*, withdraw: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Make the next key. It signs in five minutes, when every process knows it.

    Parameters
    ----------
    withdraw
        It signs at once, and no earlier key is believed any more: for when somebody else may
        have one. Every access token is void within a minute; refresh tokens go on.
    """

    async def work(at: Office) -> SigningKey:
        keys = make_token_keys(at.engine, at.keyring)
        return await keys.rotate(real(), withdraw=withdraw)

    key = in_office(work)
    say(f"{key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC.")
