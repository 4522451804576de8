"""What time it is for the city. Only bootstrap asks the machine; everybody else is handed `at`."""

from datetime import UTC, datetime

from domain.ports import Now


def real() -> datetime:
    """The machine's time, aware, in UTC."""
    return datetime.now(UTC)


def warped(start: datetime, since: datetime, until: datetime, now: Now = real) -> Now:
    """A clock for demonstrations: it shows `start` at the real time `since`, runs evenly fast,
    and is the real clock from `until` on. Every process that is told the same three instants
    shows the same time, and no clock ever jumps or goes back.
    """
    speed = (until - start) / (until - since)

    def showing() -> datetime:
        moment = now()
        if moment >= until:
            return moment
        return start + (moment - since) * speed

    return showing
