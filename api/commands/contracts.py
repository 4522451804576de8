"""What is generated from the code and kept beside it: the OpenAPI contract, the workflow."""

from pathlib import Path

import orjson
import yaml
from cyclopts import App

from api.commands.console import Failure, say
from domain.appeals import workflow as rules
from domain.sla.durations import format_duration

OPENAPI = Path("openapi/openapi.yaml")
OAUTH = Path("openapi/oauth.yaml")
ASYNCAPI = Path("openapi/asyncapi.json")
EVENTS = Path("docs/events")
WORKFLOW = Path("docs/workflow.md")

openapi = App(name="openapi", help="The contract of the REST API, OpenAPI 3.1.")
workflow = App(name="workflow", help="The life of an appeal, drawn from the transition table.")


@openapi.command(name="export")
def export_openapi(target: Path = OPENAPI, /, *, check: bool = False) -> None:
    """Write the contract as the code stands.

    Parameters
    ----------
    target
        The file to write, .yaml or .json.
    check
        Write nothing; fail unless the file says what the code does.
    """
    # The doors are opened only by those who ask for them.
    from api.rest.openapi import document

    _keep(target, _contract(target, document()), check=check, again="ikomek openapi export")


@openapi.command(name="export-oauth")
def export_oauth(target: Path = OAUTH, /, *, check: bool = False) -> None:
    """Write the contract of the authorization server as the code stands.

    Parameters
    ----------
    target
        The file to write, .yaml or .json.
    check
        Write nothing; fail unless the file says what the code does.
    """
    from api.oauth.contract import document

    _keep(target, _contract(target, document()), check=check, again="ikomek openapi export-oauth")


@openapi.command(name="export-asyncapi")
def export_asyncapi(target: Path = ASYNCAPI, /, *, check: bool = False) -> None:
    """Write what is said to webhooks and in the feed, AsyncAPI 3.1, as the code stands.

    Parameters
    ----------
    target
        The file to write, .yaml or .json.
    check
        Write nothing; fail unless the file says what the code does.
    """
    from api.asyncapi import document

    again = "ikomek openapi export-asyncapi"
    _keep(target, _contract(target, document()), check=check, again=again)


@openapi.command(name="export-events")
def export_events(target: Path = EVENTS, /, *, check: bool = False) -> None:
    """Write a page for each type of event, as the code stands.

    Parameters
    ----------
    target
        The folder to write into.
    check
        Write nothing; fail unless each page says what the code does.
    """
    from api.commands.event_pages import pages

    found = pages()
    for name, page in found.items():
        again = "ikomek openapi export-events"
        _keep(target / name, page.encode(), check=check, again=again)
    for stray in sorted({one.name for one in target.glob("*.md")} - set(found)):
        raise Failure(f"{target / stray} is about no event.", "Remove it.")


@workflow.command(name="export")
def export_workflow(target: Path = WORKFLOW, /, *, check: bool = False) -> None:
    """Write the life of an appeal as Markdown with a Mermaid diagram.

    Parameters
    ----------
    target
        The file to write.
    check
        Write nothing; fail unless the file says what the code does.
    """
    _keep(target, workflow_page().encode(), check=check, again="ikomek workflow export")


def workflow_page() -> str:
    """docs/workflow.md: the diagram, every transition, the rules of pauses and of reopening."""
    return "\n".join(
        [
            "# The life of an appeal",
            "",
            "Written by `ikomek workflow export` from `domain/appeals/workflow.py`.",
            "",
            "```mermaid",
            rules.diagram(),
            "```",
            "",
            "## Every action",
            "",
            *_table(("action", "from", "to", "permission", "meaning"), _transitions()),
            "",
            "## Pauses",
            "",
            "A clock waits for these reasons alone; afterwards it runs on by itself.",
            "",
            *_table(("reason", "who may", "stages that wait", "longest", "in all"), _pauses()),
            "",
            "## Reopening",
            "",
            "After closing, the resident may say that it is not solved for "
            f"{rules.REOPEN_WITHIN.days} days.",
            "",
        ]
    )


def _transitions() -> list[tuple[str, ...]]:
    return [
        (
            str(row.action),
            ", ".join(status for status in rules.Status if status in row.sources),
            " or ".join(row.to) or "(stays)",
            str(row.permission),
            row.meaning,
        )
        for row in rules.TRANSITIONS.values()
    ]


def _pauses() -> list[tuple[str, ...]]:
    return [
        (
            str(reason),
            ", ".join(sorted(rule.roles)),
            ", ".join(sorted(rule.stages)),
            format_duration(rule.longest),
            format_duration(rule.in_all),
        )
        for reason, rule in rules.PAUSE_RULES.items()
    ]


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    ruled = (columns, tuple("---" for _ in columns), *rows)
    return [f"| {' | '.join(row)} |" for row in ruled]


def _contract(target: Path, document: dict[str, object]) -> bytes:
    if target.suffix == ".json":
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    # Through JSON, so that no YAML tag or anchor can slip in.
    plain = orjson.loads(orjson.dumps(document))
    return yaml.safe_dump(plain, allow_unicode=True, sort_keys=False, width=100).encode()


def _keep(target: Path, content: bytes, *, check: bool, again: str) -> None:
    standing = target.read_bytes() if target.exists() else None
    if check:
        if standing != content:
            raise Failure(f"{target} is not what the code says.", f"Write it again: {again}")
        say(f"{target} is current.")
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    say(f"{target} is {'unchanged' if standing == content else 'written'}.")
