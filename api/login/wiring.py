"""The door of the login, put together from what bootstrap opened."""

from api.bootstrap import House, WaysIn
from api.login.door import Bound, LoginDoor, ScopeWords
from api.login.mobile import MobileDoor
from domain.identity.login import Reception
from domain.identity.ports import Authorizations, People


def open_door(
    house: House,
    opened: WaysIn,
    *,
    people: People,
    authorizations: Authorizations,
    scope_words: ScopeWords,
    bound: Bound,
    base_url: str | None = None,
) -> LoginDoor:
    """The door, with that of the signing where the city has set one up.

    `scope_words` tells what a scope lets a client do, `bound` whether a waiting request began in
    a browser; `base_url`: another than the settings'.
    """
    mobile = None
    if opened.mobile is not None:
        way = opened.ways[opened.mobile.provider]
        mobile = MobileDoor(house.signings, opened.mobile, way)
    reception = Reception(
        ways=opened.ways,
        attempts=house.attempts,
        people=people,
        authorizations=authorizations,
        home_of=house.home_of,
        base_url=base_url or house.settings.base_url,
    )
    return LoginDoor(
        reception,
        now=house.now,
        scope_words=scope_words,
        bound=bound,
        per_minute=house.settings.rate_limit,
        mobile=mobile,
    )
