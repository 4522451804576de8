"""The contract of the graph: its SDL as the code stands, and what a change of it would break."""

import subprocess
from pathlib import Path

from cyclopts import App

from api.commands.console import Failure, say

SDL = Path("openapi/schema.graphql")
MEANT = Path("openapi/schema-breaks.txt")
"""What clients may not rely on any more since the last release, a line each, as it was meant."""

graphql = App(name="graphql", help="The contract of the graph, in GraphQL's schema language.")


@graphql.command(name="export")
def export_graphql(target: Path = SDL, /, *, check: bool = False, breaking: bool = False) -> None:
    """Write the contract as the code stands; refuse to break that which stands there.

    Parameters
    ----------
    target
        The file to write.
    check
        Write nothing; fail unless the file says what the code does.
    breaking
        Write although clients that kept to the standing contract would fail.
    """
    content = sdl()
    standing = target.read_text() if target.exists() else None
    if check:
        if standing != content:
            raise Failure(f"{target} is not what the code says.", "Write it again: graphql export")
        say(f"{target} is current.")
        return
    found = breaks(standing, content) if standing is not None else []
    if found and not breaking:
        raise Failure(
            f"This breaks {target}: {'; '.join(found)}.",
            "Keep what clients use and deprecate it, or write it with --breaking.",
        )
    target.write_text(content)
    say(f"{target} is {'unchanged' if standing == content else 'written'}.")


@graphql.command(name="compare")
def compare_graphql(since: str | None = None, /) -> None:
    """Fail where the contract breaks that of an earlier commit and nobody wrote down that it does.

    Parameters
    ----------
    since
        The commit; the last tag unless it is named, and the commit before where there is none.
    """
    since = since or _git("describe", "--tags", "--abbrev=0") or "HEAD~1"
    before = _git("show", f"{since}:{SDL.as_posix()}")
    if before is None:
        say(f"There is no {SDL} at {since} to compare with.")
        return
    meant = MEANT.read_text().splitlines() if MEANT.exists() else []
    found = [each for each in breaks(before, SDL.read_text()) if each not in meant]
    if found:
        raise Failure(
            f"{SDL} breaks that of {since}: {'; '.join(found)}.",
            f"Keep what clients use and deprecate it, or write each as a line of {MEANT}.",
        )
    say(f"{SDL} breaks nothing of {since} that is not in {MEANT}.")


def _git(*words: str) -> str | None:
    """What git says; None where it has nothing to say, or is not there."""
    try:
        told = subprocess.run(("git", *words), capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return told.stdout.removesuffix("\n")


def sdl() -> str:
    """The schema as the code stands, sorted, so that a difference is one of meaning."""
    # Half a second of imports, for this command alone.
    from graphql import lexicographic_sort_schema, print_schema

    from api.graphql.schema import build_schema

    return print_schema(lexicographic_sort_schema(build_schema()._schema)) + "\n"


def breaks(before: str, after: str) -> list[str]:
    """What a client of `before` may not rely on any more under `after`, in words."""
    from graphql import build_schema, find_breaking_changes

    changes = find_breaking_changes(build_schema(before), build_schema(after))
    return [f"{change.description.rstrip('.')}" for change in changes]
