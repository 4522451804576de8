"""Who goes through the door that leads to everything, and who speaks to the database without one.

The first list may grow by what serves all cities at once; the second by what is nobody's.
"""

import ast

from tests.house.source import ROOT, calls, modules, tree

POSTGRES = "integrations/postgres/"

PLATFORM = {
    POSTGRES + "alarms.py": {"_fetch"},
    POSTGRES + "authorizations.py": {"wait", "asked", "grant", "refuse"},
    POSTGRES + "clients.py": {"find", "of", "add", "rotate", "disable", "limits", "used"},
    POSTGRES + "grants.py": {"open", "member_name"},
    POSTGRES + "login_attempts.py": {"_keep", "_take"},
    POSTGRES + "people.py": {
        "resident",
        "meet",
        "members",
        "invited_to",
        "redeem",
        "linkable",
    },
    POSTGRES + "personal.py": {"note", "_fetch"},
    POSTGRES + "records.py": {"of"},
    POSTGRES + "recounting.py": {"recount"},
    POSTGRES + "revocations.py": {"live", "forget"},
    POSTGRES + "signings.py": {"open", "signed", "take", "_find"},
    POSTGRES + "webhook_keys.py": {"_kept", "rotate"},
    POSTGRES + "token_keys.py": {"known", "kept", "rotate"},
    POSTGRES + "checkpoints.py": {"sign", "_seal"},
    POSTGRES + "deliveries.py": {"_fetch", "finish", "tell_overdue"},
    POSTGRES + "happenings.py": {"floor", "after", "holds"},
    POSTGRES + "histories.py": {"walk", "changed", "ends", "between"},
    POSTGRES + "housekeeping.py": {
        "clear_desks",
        "forget_answers",
        "forget_uploads",
        "forget_deliveries",
        "forget_notices",
    },
    POSTGRES + "incident_queries.py": {"settle"},
    POSTGRES + "log_export.py": {"open_export"},
    POSTGRES + "outbox.py": {"relay"},
    POSTGRES + "feed.py": {"rung", "sweep"},
    POSTGRES + "reference.py": {"refresh"},
    POSTGRES + "sealer.py": {"seal"},
    POSTGRES + "statistics.py": {"add_up"},
    POSTGRES + "tokens.py": {"_find", "issue", "revoke"},
    "api/commands/audits.py": {"_judge_stretch"},
    "api/commands/database.py": {"open_office"},
    "api/commands/trial_work.py": {"_count_job"},
}
"""The API asks for the snapshot, for whoever is nobody's yet (logins, clients, codes, tokens), for
the record of readings, and for what happens, of which one reader tells each what they may hear
(domain/appeals/happenings.py: hears); the rest is the scheduler's, the worker's and the command
line's.
"""

DOORLESS = {
    POSTGRES + "checkpoints.py": {"standing", "unended", "end_day", "unmailed", "mailed", "adopt"},
    POSTGRES + "happenings.py": {"listen"},
    POSTGRES + "proofs.py": {
        "newest", "checkpoint", "checkpoints", "after", "consistency", "keys", "cosign",
    },
    POSTGRES + "queries.py": {"ready"},
    POSTGRES + "session.py": {"inside"},
    POSTGRES + "unit_of_work.py": {"borrow", "_fetch"},
}  # fmt: skip
"""The public log, the revision, free numbers, the relay's call; and where doors are opened."""

PLAIN = {
    POSTGRES + "migrate.py": {"current", "_configured"},
    POSTGRES + "reference.py": {"refresh"},
    POSTGRES + "session.py": {"_from_pool"},
    POSTGRES + "trials.py": {"snapshot"},
}
"""Connections of SQLAlchemy and its pool: the owner's, the command line's, and the doorways."""


def within(wanted, *packages: str) -> dict[str, set[str]]:
    """The innermost function of every node that is wanted, by file."""
    found: dict[str, set[str]] = {}

    def look(node: ast.AST, function: str, place: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function = node.name
        if wanted(node):
            found.setdefault(place, set()).add(function)
        for child in ast.iter_child_nodes(node):
            look(child, function, place)

    for path in modules(*packages):
        look(tree(path), "", str(path.relative_to(ROOT)))
    return found


def named(*names: str):
    return lambda node: (
        isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names
    )


def called(*names: str):
    return lambda node: isinstance(node, ast.Call) and ast.unparse(node.func).endswith(names)


def test_every_way_through_the_platforms_door_is_listed():
    found = within(named("PLATFORM", "WORKER"), "api", "integrations", "demo")
    found.pop(POSTGRES + "doors.py")
    assert found == PLATFORM


def test_every_way_without_a_door_is_listed():
    assert within(called("borrowed"), "api", "integrations") == DOORLESS
    plain = within(called("engine.connect", "_engine(url).connect", "_engine(owner_url).connect",
                          "engine.raw_connection", "engine.begin"), "integrations")  # fmt: skip
    assert plain == PLAIN


def test_engines_of_the_whole_platform_are_opened_by_the_command_line_alone():
    opened = {
        str(path.relative_to(ROOT))
        for path, call, name in calls("api", "integrations")
        if name == "open_engine" and any(one.arg == "role" for one in call.keywords)
    }
    of_the_command_line = {"audits.py", "database.py", "trial_work.py"}
    assert opened == {f"api/commands/{name}" for name in of_the_command_line}
