"""An akim's access token names their district; what lies in it is told by the tree as it is."""

from api.auth import Authenticator
from api.trust import ACCESS
from domain.access import Role
from domain.identity.model import Subject
from domain.identity.tokens import Holder, write_claims
from domain.values import new_id
from tests.support.city import KISHI
from tests.support.districts import write_district
from tests.support.oauth import Door


async def test_a_token_that_was_judged_follows_the_districts(door: Door):
    house = door.house
    await write_district(house, "rural", "centre")
    await write_district(house, "village", "rural")
    subject = Subject(new_id(), KISHI.id, Role.AKIM, KISHI.department, district="centre")
    holder = Holder(subject, new_id(), new_id(), frozenset({"appeals:read"}))
    now = house.now()
    claims = write_claims(
        holder, issuer=house.trust.issuer, audience=house.trust.audience, token="t", at=now
    )
    judging = Authenticator(house.tokens.find, house.trust, house.trees)
    token = house.trust.sign(claims, ACCESS, now)
    known = judging.judge(token)
    assert known.confined == frozenset({"centre", "rural", "village"})
    assert judging.judge(token) is known
    await write_district(house, "village", None)
    assert judging.judge(token).confined == frozenset({"centre", "rural"})
