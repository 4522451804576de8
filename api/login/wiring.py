"""The door of the login, put together from what bootstrap opened."""

from api.bootstrap import WaysIn
from api.login.door import LoginDoor, ScopeWords
from api.login.mobile import MobileDoor
from domain.identity.login import Reception
from domain.identity.signing import Signings
from domain.ports import Now


def open_door(
    reception: Reception,
    opened: WaysIn,
    signings: Signings,
    *,
    now: Now,
    scope_words: ScopeWords,
    per_minute: int,
) -> LoginDoor:
    """The door, with that of the signing where the city has set one up.

    `scope_words` tells what a scope lets a client do; `per_minute`: requests of one address.
    """
    mobile = None
    if opened.mobile is not None:
        mobile = MobileDoor(signings, opened.mobile, opened.ways[opened.mobile.provider])
    return LoginDoor(
        reception, now=now, scope_words=scope_words, per_minute=per_minute, mobile=mobile
    )
