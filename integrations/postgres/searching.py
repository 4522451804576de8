"""How a page of appeals is found, from the newest backwards.

What is common is met at once among the newest, by whoever sees the whole city. All else is looked
up by its card, first among those of a day, then of ever longer times. What is open has indexes of
its own: a city's, a district's, and for each organisation its desk. Each statement asks the appeal
itself for everything that is wanted: a card only says where to look.
"""

from datetime import datetime, timedelta
from typing import Any

from domain.access import CITY_WIDE, Principal, Role
from domain.appeals.workflow import FINAL, WORKED
from domain.questions import NEWEST_FIRST, AppealFilter, Order, Page
from integrations.postgres.cards import NAMED, day, facet, likeness, whole_number
from integrations.postgres.doors import CITY, door_of
from integrations.postgres.nearness import within
from integrations.postgres.scope import Parameters, visible
from integrations.postgres.statements import LOADED

NEWEST = 16
"""So many of the newest appeals are looked through for each that is wanted, before cards are."""
SPANS = (1, 9, 50)
"""Days whose cards are looked up at once, one span after the other; then all that are older."""

MEETING = ("service", "category", "sphere", "kind")
"""Of these the city keeps which were ever those of one appeal."""

_IN_ORDER = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;"
    # Ids are looked up once each: what was found for one is found for no other.
    " SET LOCAL enable_memoize = off"
)
_AT_HAND = f"{_IN_ORDER}; SET LOCAL plan_cache_mode = force_generic_plan"

_EQUALS = {name: name for name in NAMED} | {
    "organisation": "organisation_id",
    "incident": "incident_id",
    "emergency": "emergency",
}
_ORDER = "ORDER BY a.registered_at DESC, a.id DESC"


def setting(principal: Principal, wanted: AppealFilter, order: Order = NEWEST_FIRST) -> str:
    """What a transaction is set to that searches for somebody.

    Expecting few, the planner would read a table whole, or gather all of a state or a desk and
    sort it, which takes the longer the more there is; what is read in the order of an index takes
    as long as what is wanted. The finders of cards have a setting of their own.

    Most searches leave nothing to choose: they go by the register's order, by cards and by keys,
    whatever is asked. One plan does for all values then. Left to itself the planner makes a new
    one each time where the register is large, which takes longer than many an answer.
    """
    few = wanted.statuses or wanted.overdue_at or wanted.incident
    chosen = order != NEWEST_FIRST or (few and principal.role in CITY_WIDE)
    return _IN_ORDER if chosen else _AT_HAND


class Search:
    """One page: at most `limit` rows, in order, after `after`.

    `driver` is in a transaction that came through the principal's door, with their setting.
    """

    def __init__(
        self,
        driver: Any,
        principal: Principal,
        wanted: AppealFilter,
        after: Page | None,
        limit: int,
        columns: str = LOADED,
    ) -> None:
        self._driver = driver
        self._principal = principal
        self._wanted = wanted
        self._after = after
        self._limit = limit
        self._columns = columns
        self._number = whole_number(wanted.text)
        # Each once: what is asked of each status by itself is put together.
        self._statuses = list(dict.fromkeys(wanted.statuses))
        self._tenant = principal.role not in CITY_WIDE
        own = principal.confined
        named = None if wanted.district is None else frozenset({wanted.district})
        # The districts that are looked in; None for all of the city.
        self._districts = named if own is None else (own if named is None else own & named)
        looked_in = sorted(self._districts or ())
        self._several = looked_in if len(looked_in) > 1 else []
        self._district = looked_in[0] if len(looked_in) == 1 else None
        # Behind a wall one's own are found by cards, and the city is asked what is the newest.
        self._walled = self._tenant or own is not None

    async def rows(self) -> list[Any]:
        """Rows of the columns that were asked for; LOADED is what rows.read_appeal wants."""
        if self._districts is not None and not self._districts:
            return []
        resident = self._principal.role is Role.CITIZEN
        # What is over has no clock that could be overdue.
        lying = self._open() or (self._wanted.overdue_at is not None and not self._statuses)
        if self._tenant and lying and not (resident or self._number):
            return await self._desk()
        if resident or self._few() or self._number:
            return await self._plain()
        if not self._walled:
            found = await self._newest()
            if len(found) == self._limit:
                return found
        return await (self._by_cards() if self._carded() else self._plain())

    def _few(self) -> bool:
        """Whether only appeals that are still open are wanted, or those of one incident."""
        wanted = self._wanted
        return self._open() or wanted.overdue_at is not None or wanted.incident is not None

    def _open(self) -> bool:
        """Whether only statuses of open appeals are wanted."""
        return bool(self._statuses) and FINAL.isdisjoint(self._statuses)

    def _carded(self) -> bool:
        """Whether cards can tell where to look."""
        wanted = self._wanted
        return bool(
            self._tenant
            or self._several
            or self._facets()
            or wanted.text is not None
            or wanted.organisation
        )

    def _facets(self) -> list[int]:
        """What a card has all of; of several districts it has one."""
        named = {name: getattr(self._wanted, name) for name in NAMED}
        named["district"] = self._district
        found = [facet(name, str(value)) for name, value in named.items() if value is not None]
        if self._wanted.emergency:
            found.append(facet("emergency", "true"))
        if self._statuses == ["withdrawn"]:
            found.append(facet("status", "withdrawn"))
        return found

    def _asked(self, parameters: Parameters) -> str:
        """The scope, and all that is asked of `a`, a row of `appeal`, but for status and words."""
        wanted, after = self._wanted, self._after
        found = [self._seen(parameters)]
        for name, column in _EQUALS.items():
            if (value := getattr(wanted, name)) is not None:
                found.append(f"a.{column} = {parameters.add(value)}")
        for condition, value in (
            ("a.number =", self._number),
            ("a.due_at <", wanted.overdue_at),
            ("a.registered_at >=", wanted.registered_from),
            ("a.registered_at <", wanted.registered_to),
        ):
            if value is not None:
                found.append(f"{condition} {parameters.add(value)}")
        found += within(wanted, parameters)
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            found.append(f"(a.registered_at, a.id) < {place}")
        return " AND ".join(found)

    def _seen(self, parameters: Parameters) -> str:
        """The scope. Of the few that are open each is asked whether it is a tenant's: a planner
        left to itself would begin with all that the tenant ever had. A resident's own are fewer.
        """
        scope = visible(self._principal, parameters)
        resident = self._principal.role is Role.CITIZEN
        if resident or not (self._tenant and self._few()):
            return scope
        return f"a.city_id = {parameters.add(self._principal.city)} AND (SELECT {scope})"

    def _status(self, parameters: Parameters) -> str:
        if not self._statuses:
            return ""
        return f" AND a.status = ANY({parameters.add(self._statuses)})"

    def _worded(self, parameters: Parameters) -> str:
        if self._wanted.text is None or self._number is not None:
            return ""
        pattern = parameters.add(likeness(self._wanted.text))
        # Of each appeal by its key: asked whether it exists, it could be joined to all cards.
        return f" AND (SELECT c.words LIKE {pattern} FROM card c WHERE c.appeal_id = a.id)"

    def conditions(self, parameters: Parameters) -> str:
        """All that is asked of `a`, a row of `appeal`."""
        return self._asked(parameters) + self._status(parameters) + self._worded(parameters)

    async def sorted(self, order: Order, after: Page | None) -> list[Any]:
        """Rows in another order than that of lists, after a place in it. By due time only those
        that have one: they are few, and have an index.
        """
        parameters = Parameters(self._limit)
        asked, column = self.conditions(parameters), f"a.{order.by}"
        if order.by != "registered_at":
            asked += f" AND {column} IS NOT NULL"
        if after is not None:
            place = f"({parameters.add(after.at)}, {parameters.add(after.id)})"
            asked += f" AND ({column}, a.id) {'>' if order.ascending else '<'} {place}"
        way = "ASC" if order.ascending else "DESC"
        sort = f"ORDER BY {column} {way}, a.id {way}"
        return list(
            await self._driver.fetch(
                f"SELECT {self._columns} FROM (SELECT a.* FROM appeal a WHERE {asked} {sort}"
                f" LIMIT $1) a {sort}",
                *parameters.values,
            )
        )

    async def _plain(self) -> list[Any]:
        """In the order of an index, however far it must be followed."""
        parameters = Parameters(self._limit)
        asked = self._asked(parameters) + self._worded(parameters)
        if not self._walled:
            asked += self._met(parameters)
        if not self._statuses:
            return await self._page(f"SELECT a.* FROM appeal a WHERE {asked}", parameters)
        states = parameters.add(self._statuses)
        among = f"unnest({states}::text[]) t (status)"
        if self._open() and self._districts is not None:
            # For the index of a district's; elsewhere it would only mislead the planner.
            asked += " AND a.status NOT IN ('closed', 'withdrawn')"
            if self._several:
                # Of each the newest: the index has an order for one.
                among += f", unnest({parameters.add(self._several)}::text[]) p (district)"
                asked += " AND a.district = p.district"
        return await self._page(
            f"SELECT a.* FROM {among}, LATERAL"
            f" (SELECT a.* FROM appeal a WHERE a.status = t.status AND {asked}"
            f" {_ORDER} LIMIT $1) a",
            parameters,
        )

    async def _desk(self) -> list[Any]:
        """What lies on the desks of the tenant's organisations, of each and of each status that is
        wanted the newest that fit.
        """
        parameters = Parameters(self._limit)
        asked = self.conditions(parameters) + self._dealt(parameters)
        own = parameters.add(list(self._principal.organisations))
        # None but these can be overdue.
        states, beyond = parameters.add(self._statuses or sorted(WORKED)), ""
        if self._after is not None:
            place = f"({parameters.add(self._after.at)}, {parameters.add(self._after.id)})"
            beyond = f" AND (d.registered_at, d.appeal_id) < {place}"
        # Looked up by itself: the planner would look for each among all of its status.
        found = "SELECT a.* FROM appeal a WHERE a.id = d.appeal_id OFFSET 0"
        lying = (
            f"SELECT a.id FROM desk d, LATERAL ({found}) a"
            " WHERE d.organisation_id = o.id AND d.status = t.status AND NOT d.ended"
            f"{beyond} AND {asked}"
            " ORDER BY d.registered_at DESC, d.appeal_id DESC LIMIT $1"
        )
        return await self._page(
            "SELECT a.* FROM appeal a JOIN (SELECT DISTINCT d.id"
            f" FROM unnest({own}::uuid[]) o (id), unnest({states}::text[]) t (status),"
            f" LATERAL ({lying}) d) d ON d.id = a.id",
            parameters,
        )

    async def _newest(self) -> list[Any]:
        """Among the newest alone; not behind a wall, where the register would be walked for as many
        of one's own.
        """
        parameters = Parameters(self._limit)
        asked = self.conditions(parameters)
        bounds = f"a.city_id = {parameters.add(self._principal.city)}"
        if (end := self._wanted.registered_to) is not None:
            bounds += f" AND a.registered_at < {parameters.add(end)}"
        if self._after is not None:
            place = f"({parameters.add(self._after.at)}, {parameters.add(self._after.id)})"
            bounds += f" AND (a.registered_at, a.id) < {place}"
        newest = f"SELECT a.* FROM appeal a WHERE {bounds} {_ORDER} LIMIT {self._limit * NEWEST}"
        return await self._page(f"SELECT a.* FROM ({newest}) a WHERE {asked}", parameters)

    async def _by_cards(self) -> list[Any]:
        """By cards: of a day, of the days before it, of the weeks before those, of all older.

        One statement asks for all of them, each only where those before it filled no page: it
        reads them in their order, and each alone is sorted.
        """
        first = self._wanted.registered_from
        spans = [span for span in await self._spans() if first is None or span[1] >= first]
        if not spans:
            return []
        wanted, parameters = self._wanted, Parameters(self._limit)
        begins = parameters.add([begin for begin, _ in spans])
        ends = parameters.add([end for _, end in spans])
        days = " ".join(
            f"WHEN {place} THEN {parameters.add(_days(begin, end))}::int[]"
            for place, (begin, end) in enumerate(spans, 1)
            if begin is not None
        )
        pattern = None if wanted.text is None else likeness(wanted.text)
        facets, organisation, worded = map(
            parameters.add, (self._facets(), wanted.organisation, pattern)
        )
        finder = "cards_of_organisations" if self._tenant else "cards_of_city"
        several = [facet("district", code) for code in self._several]
        places = f", {parameters.add(several)}::int[]" if several else ""
        day = f"CASE w.place {days} END" if days else "NULL::int[]"
        asked = self._asked(parameters) + self._status(parameters)
        # The finders look within the wall of who calls, and tell ids in the order of lists: each
        # is looked at in its turn, until the page is full. See migrations 0014, 0029 and 0031.
        statement = (
            f"SELECT {self._columns} FROM (SELECT a.*"
            f" FROM unnest({begins}::timestamptz[], {ends}::timestamptz[])"
            " WITH ORDINALITY w (since, until, place),"
            f" {finder}(w.since, w.until, {facets}::int[], {day},"
            f" {organisation}::uuid, {worded}::text{places}) f (id),"
            f" LATERAL (SELECT a.* FROM appeal a WHERE a.id = f.id AND {asked} OFFSET 0) a"
            f" LIMIT $1) a {_ORDER}"
        )
        return list(await self._driver.fetch(statement, *parameters.values))

    def _met(self, parameters: Parameters) -> str:
        """Whether the city ever had one that was all of what is wanted: looked up once, before
        anything else is looked at. Of whoever sees less than a city it can't be asked here.
        """
        named = {name: getattr(self._wanted, name) for name in MEETING}
        asked = [f"m.{n} = {parameters.add(v)}" for n, v in named.items() if v is not None]
        if not asked:
            return ""
        asked.append(f"m.city_id = {parameters.add(self._principal.city)}")
        return f" AND EXISTS (SELECT FROM meeting m WHERE {' AND '.join(asked)})"

    def _dealt(self, parameters: Parameters) -> str:
        """Whether the tenant's organisations, or the one that is wanted, ever dealt with all that
        is wanted, each by itself: looked up as _met is.
        """
        wanted, facets = self._wanted.organisation, self._facets()
        own = list(self._principal.organisations) if self._tenant else [wanted]
        if not facets or own == [None]:
            return ""
        facets_, own_ = parameters.add(facets), parameters.add(own)
        dealt = f"FROM dealing d WHERE d.organisation_id = ANY({own_}) AND d.facet = f.facet"
        # Of each by its key: asked whether they exist, all of an organisation could be read.
        asked = (
            f"FROM unnest({facets_}::int[]) f (facet) WHERE (SELECT true {dealt} LIMIT 1) IS NULL"
        )
        return f" AND NOT EXISTS (SELECT {asked})"

    async def _spans(self) -> list[tuple[datetime | None, datetime]]:
        newest = await self._newest_of_the_city()
        if newest is None:
            return []
        ends = [newest + timedelta(microseconds=1)]
        ends += [self._after.at + timedelta(microseconds=1)] if self._after else []
        ends += [self._wanted.registered_to] if self._wanted.registered_to else []
        end = min(ends)
        spans: list[tuple[datetime | None, datetime]] = []
        for days in SPANS:
            spans.append((end - timedelta(days=days), end))
            end -= timedelta(days=days)
        return [*spans, (None, end)]

    async def _newest_of_the_city(self) -> datetime | None:
        """When the newest appeal was registered, whosever it is: behind a narrow wall one would
        look through the register for the newest of one's own. None, too, where the city never had
        one that was all of what is wanted.
        """
        own = door_of(self._principal)
        if self._walled:
            await self._driver.execute(f"SET LOCAL ROLE {CITY}")
        parameters = Parameters(self._principal.city)
        known = self._met(parameters) + self._dealt(parameters)
        found = await self._driver.fetch(
            f"SELECT a.registered_at FROM appeal a WHERE a.city_id = $1{known} {_ORDER} LIMIT 1",
            *parameters.values,
        )
        if self._walled:
            await self._driver.execute(f"SET LOCAL ROLE {own.role}")
        return found[0]["registered_at"] if found else None

    async def _page(self, source: str, parameters: Parameters) -> list[Any]:
        """The first rows of a source of appeals; clocks and assignments are read of these alone."""
        statement = f"SELECT {self._columns} FROM ({source} {_ORDER} LIMIT $1) a {_ORDER}"
        return list(await self._driver.fetch(statement, *parameters.values))


def _days(begin: datetime, end: datetime) -> list[int]:
    return [day(begin + timedelta(days=n)) for n in range((end - begin).days + 1)] + [day(end)]
