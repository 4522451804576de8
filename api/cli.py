"""The command `ikomek`: the platform as its operators start, feed and ask it."""

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError
from pydantic_core import ValidationError

from api.commands.console import Failure, Reported, complain, err
from domain.errors import Refusal
from integrations.postgres.postmaster import EmbeddedPostgresError

DEBUG = "--debug"
INTERRUPTED = 130

COMMANDS = {
    "up": (
        "api.commands.up:up",
        "Start everything on this machine; --demo brings a city along.\n\n"
        "Without DATABASE_URL a PostgreSQL of its own is started under home; it needs neither "
        "root nor a system package. A role that dies is started again. Ctrl-C or SIGTERM ends "
        "all of it.",
    ),
    "serve": ("api.commands.roles:serve", "Serve the API alone."),
    "worker": ("api.commands.roles:worker", "Do the work that appeals cause: webhooks, files."),
    "scheduler": ("api.commands.roles:scheduler", "Watch the clocks and pass events on."),
    "migrate": ("api.commands.migrate:migrate", "Bring the database to the newest revision."),
    "demo": ("api.commands.demo:app", "The city Semey: load it, replay its days, show its keys."),
    "city": ("api.commands.city:app", "A city: create or mend it from a file, list, export."),
    "catalogue": ("api.commands.catalogue:app", "The services: check, import, export."),
    "triage": ("api.commands.triage:app", "The model of residents' words: train, evaluate."),
    "policies": ("api.commands.policies:app", "What the city promises: import."),
    "trial": ("api.commands.trial:trial", "Drafts run over the past days: what would change."),
    "addresses": ("api.commands.addresses:app", "Where everything stands: check, import, export."),
    "organisations": ("api.commands.organisations:app", "Who acts: check, import, export."),
    "routing": ("api.commands.routing:app", "Who gets which appeal: check."),
    "token": ("api.commands.token:app", "Bearer tokens: issue, list, revoke."),
    "client": ("api.commands.client:app", "Programs: create, list, rotate their secrets, stop."),
    "member": ("api.commands.members:app", "Members: invite, list, suspend, restore, leave."),
    "citizen": ("api.commands.citizens:app", "A resident: all that is held on them."),
    "webhooks": ("api.commands.webhooks:app", "Webhooks at a developer's desk: listen, trigger."),
    "keys": ("api.commands.keys:app", "Keys of personal data and of tokens."),
    "clocks": ("api.commands.clocks:app", "The clocks: check them, count them again."),
    "statistics": ("api.commands.statistics:app", "The figures: check them against the register."),
    "eotinish": ("api.commands.eotinish:app", "The national register: check, reconcile."),
    "register": ("api.commands.register:app", "The register of events: verify, export, sign."),
    "openapi": ("api.commands.contracts:openapi", "The contract of the REST API."),
    "graphql": ("api.commands.graph:graphql", "The contract of the graph."),
    "workflow": ("api.commands.contracts:workflow", "The life of an appeal, as a diagram."),
    "doctor": ("api.commands.doctor:doctor", "Look at everything that the platform stands on."),
}
"""Each command's place and its line of help; the place is imported when the command is run."""

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
for _name, (_place, _line) in COMMANDS.items():
    app.command(_place, name=_name, help=_line)


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
