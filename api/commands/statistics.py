"""The city's figures and desks, proved: they are what the register gives, or are put right."""

from typing import Annotated

from cyclopts import App, Parameter

from api.commands.console import Reported, complain, say
from api.commands.database import in_office
from integrations.postgres.recounting import recount

MOST_TOLD = 200
"""Lines about differences; where there are more, they have one cause."""

app = App(name="statistics", help="The figures: check them against the register.")


@app.command
def check(*, mend: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Count everything again and name each figure, and each desk, that is kept otherwise.

    Ends with 1 where anything differs. The city may work meanwhile; the register is read whole.

    Parameters
    ----------
    mend
        Put right what differs, and end with 0.
    """
    found = in_office(lambda at: recount(at.engine, mend=mend))
    for one in found[:MOST_TOLD]:
        where = f" of {one.place}" if one.place else ""
        say(f"{one.subject} {one.state}{where}: {one.kept} kept, {one.counted} counted")
    if not found:
        say("Every figure is what counting gives.")
    elif mend:
        say(f"Put right: {len(found)}.")
    else:
        complain(f"{len(found)} figures are not what counting gives.", "--mend puts them right.")
        raise Reported
