"""The contract of the graph: its SDL as the code stands, and what a change of it would break."""

from pathlib import Path

from cyclopts import App

from api.commands.console import Failure, say

SDL = Path("openapi/schema.graphql")

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
