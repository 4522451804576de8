"""A foreign judge over the walls: pgrls lints them, proves what it can, and draws who may what.

It proves equalities with what a transaction was told, and abstains from arrays and from look-ups
in other tables; those are tried by test_doors.py. Where a drawing or the proofs changed on
purpose, the failing test has written what they are now beside what they were: move it over.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from integrations.postgres.doors import ROLES
from integrations.postgres.engine import APP_ROLE
from integrations.postgres.open_tables import OPEN_TABLES

WALLS = Path(__file__).parent / "walls"
SHORT = {"open": "open", "conditional": "cond", "denied": "-", "undecided": "UNDECIDED"}
UNBOUND = r"public\.\w+\.(worker|finder)"

ACCEPTED = {
    "SEC001": (
        rf"public\.({'|'.join([*OPEN_TABLES, 'alembic_version'])})",
        "open tables, each with its reason (integrations/postgres/open_tables.py)",
    ),
    "SEC005": (
        rf"{UNBOUND}|public\.revocation\.city",
        "the platform's own role sees all cities; a revocation is of no city",
    ),
    "SEC010": (
        r"public\.revocation\.city",
        "whoever suspends a member adds what takes their tokens back, and reads none of it",
    ),
    "SEC008": (UNBOUND, "the platform's own role sees all cities"),
    "SEC028": (UNBOUND, "the platform's own role writes into all cities"),
    "SEC038": (UNBOUND, "nobody is anonymous here: who has no door has no grant either"),
    "SEC007": (
        r"public\.(access_token|card|delivery_attempt|event_personal|idempotency|outbox"
        r"|shared_attachment|identity|invitation|member_event|client(_\w+)?|authorization_\w+"
        r"|login_\w+|refresh_token|revocation|token_key|endpoint_health|webhook_key|delivery_lease"
        r"|eotinish_\w+|meeting|dealing)",
        "has no city of its own, nobody but the platform, or says it in each policy",
    ),
    "SEC013": (
        r"public\.\w+\.(tally_\w+|holding_\w+|count_\w+|deal_\w+|stand_\w+|\w+_is_for_good|\w+_is_kept|\w+_loses_tokens)",
        "they run as whoever writes, behind the same walls",
    ),
    "SEC014": (
        r"public\.cards_of_(city|organisations)",
        "the finders: ids alone, within what the transaction was told (test_doors.py)",
    ),
    "SEC020": (
        r"public\.(event_personal|revocation)\.city",
        "an event and its texts are written by one statement, which does not see itself",
    ),
    "SEC035": (
        r"public\.(event \(uq_event_appeal_id_sequence\)|invitation \(uq_invitation_hash\)"
        r"|eotinish_message \(uq_eotinish_message_appeal_id_sequence\)"
        r"|eotinish_file \(uq_eotinish_file_appeal_id_identifier\))",
        "an appeal's id and a secret's hash are random: nobody can guess one to ask for (R5)",
    ),
    "PERF003": (
        r"public\.\w+\.\w+",
        "rows are found by the statement's own index and only checked by the wall (test_lists.py)",
    ),
}
"""What the lint finds and why it stays: rule → where, why."""


def pgrls(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pgrls", *arguments], capture_output=True, text=True, check=False
    )


def test_the_lint_finds_nothing_but_what_we_can_answer_for(database):
    told = pgrls("lint", "--database-url", database, "--schemas", "public", "--format", "json")
    found = [(one["rule_id"], one["location"]) for one in json.loads(told.stdout)["violations"]]
    assert found
    strange = [
        (rule, where)
        for rule, where in found
        if rule not in ACCEPTED or not re.fullmatch(ACCEPTED[rule][0], where)
    ]
    assert strange == []
    assert {rule for rule, _ in found} == set(ACCEPTED), "an answer to what is not found any more"


def unchanged(name: str, now: str) -> None:
    """Compare with the committed file; leave what is new beside it."""
    kept = WALLS / name
    if not kept.exists() or kept.read_text() != now:
        (WALLS / f"{name}.new").write_text(now)
        pytest.fail(f"{kept} differs from {name}.new beside it: look why, and move it over")


def test_who_may_what_is_what_was_committed(database):
    told = pgrls(
        "matrix", "--database-url", database, "--schemas", "public", "--format", "json",
        "--roles", ",".join((APP_ROLE, *ROLES)),
    )  # fmt: skip
    unchanged("matrix.txt", drawn(json.loads(told.stdout)))


def drawn(matrix: Any) -> str:
    """A line for each table and command that anybody may give: open, cond(itional) or -."""
    names = [role.removeprefix("ikomek_") for role in matrix["roles"]]
    lines = [f"{'':36}" + "".join(f"{name:10}" for name in names)]
    for row in matrix["rows"]:
        cells = [row["access"][role]["verdict"] for role in matrix["roles"]]
        if set(cells) != {"denied"}:
            said = "".join(f"{SHORT[cell]:10}" for cell in cells)
            lines.append(f"{row['command']:8}{row['table'].removeprefix('public.'):28}{said}")
    return "".join(f"{line.rstrip()}\n" for line in lines)


def test_what_can_be_proved_of_each_wall_is_proved(database):
    lines = []
    for mode in ("cross-tenant", "write"):
        told = pgrls(
            "verify", "--database-url", database, "--schemas", "public", "--mode", mode,
            "--strict", "--format", "json", "--config", str(WALLS / "pgrls.toml"),
        )  # fmt: skip
        verdicts = [
            (table["table"].removeprefix("public."), policy["policy"], policy["verdict"])
            for table in json.loads(told.stdout)["tables"]
            for policy in table["policies"]
        ]
        assert not [one for one in verdicts if one[2] not in ("isolated", "unverified")]
        lines += [
            f"{mode:14}{table:20}{policy}\n"
            for table, policy, verdict in sorted(verdicts)
            if verdict == "isolated"
        ]
    unchanged("proved.txt", "".join(lines))


@pytest.mark.parametrize("mode", ["escalation", "reachability"])
def test_no_road_leads_around_the_walls(database, mode):
    told = pgrls("verify", "--database-url", database, "--schemas", "public", "--mode", mode)
    assert told.returncode == 0, told.stdout
