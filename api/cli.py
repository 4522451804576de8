"""The command `ikomek`: the platform as its operators start, feed and ask it."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError
from pydantic import ValidationError

from api.commands import (
    catalogue,
    contracts,
    demo,
    doctor,
    migrate,
    organisations,
    policies,
    register,
    roles,
    token,
    up,
)
from api.commands.console import Failure, Reported, complain, err
from domain.errors import Refusal
from integrations.postgres.postmaster import EmbeddedPostgresError

DEBUG = "--debug"
INTERRUPTED = 130

app = App(
    name="ikomek",
    help="The headless platform behind the single number 109.",
    help_epilogue=(
        "Begin with `ikomek up --demo`: a whole city on this machine. Settings come from the "
        "environment (DATABASE_URL, IKOMEK_HOME, IKOMEK_PORT …); docs/operations.md explains "
        "each. With --debug an error shows where it arose."
    ),
    version_flags=["--version"],
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)
app.command(up.up)
app.command(roles.serve)
app.command(roles.worker)
app.command(roles.scheduler)
app.command(migrate.migrate)
for group in (catalogue, policies, organisations, token, register, demo):
    app.command(group.app)
app.command(contracts.openapi)
app.command(contracts.workflow)
app.command(doctor.doctor)


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments say; the exit code: 0 done, 1 failed, 2 asked wrongly."""
    debug = DEBUG in arguments
    try:
        answer = app([each for each in arguments if each != DEBUG])
        return answer if isinstance(answer, int) else 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if debug:
            err.print_exception()
        return _explain(error)


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def _explain(error: Exception) -> int:
    """One sentence, and how to mend it."""
    match error:
        case Reported():
            return 1
        case Failure():
            complain(error.sentence, error.mend)
            return error.status
        case CycloptsError():
            complain(" ".join(str(error).split()), "Ask for help: ikomek --help")
            return 2
        case ValidationError():
            for fault in error.errors():
                name = "_".join(map(str, fault["loc"])).upper()
                complain(f"The setting {name} is wrong: {fault['msg']}.", "docs/operations.md")
            return 2
        case EmbeddedPostgresError():
            complain(f"The embedded PostgreSQL does not serve: {error}")
        case Refusal():
            complain(f"The platform refuses: {error}")
        case _:
            complain(f"{type(error).__name__}: {error}", "Add --debug to see where it arose.")
    return 1


if __name__ == "__main__":
    main()
