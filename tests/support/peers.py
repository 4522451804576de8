"""schemathesis as two people who must not see each other's things (`object_level_authorization`).

It learns whose an object is by what each of them creates and lists, and reads it as the other.
"""

import json
import re
from collections.abc import Collection, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import schemathesis
from schemathesis import hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import from_schema
from schemathesis.engine.events import NonFatalError, ScenarioFinished
from schemathesis.generation.case import Case

from api.rest.openapi import document
from tests.support.attack import Finding, Outcome, gather

_CONFIG = """
seed = {seed}
[cache]
enabled = false
[auth.wfc]
path = {path}
peers = {peers}
[generation]
max-examples = {examples}
mode = "positive"
database = "none"
[checks]
enabled = false
object_level_authorization.enabled = true
[phases.examples]
enabled = false
[phases.coverage]
enabled = false
[phases.fuzzing]
enabled = false
"""


def pry(
    url: str,
    peers: Mapping[str, str],
    bodies: Mapping[str, Any],
    reads: Collection[str],
    *,
    seed: int,
    examples: int,
    folder: Path,
) -> Outcome:
    """Let peers (name → token) try to read each other's things at `url` by the operations of
    `reads`, after those that create (`bodies`: operation → what is sent)."""
    known = folder / "peers.json"
    known.write_text(json.dumps({"auth": [_peer(*peer) for peer in peers.items()]}))
    text = _CONFIG.format(
        seed=seed, examples=examples, path=json.dumps(str(known)), peers=json.dumps([*peers])
    )
    schema = schemathesis.openapi.from_dict(linked(), config=SchemathesisConfig.from_str(text))
    schema.config.update(base_url=url)
    outcome = Outcome()
    with _sending(bodies):
        for event in from_schema(schema.include(operation_id=[*bodies, *reads])).execute():
            if isinstance(event, ScenarioFinished):
                gather(event, outcome)
            elif isinstance(event, NonFatalError):
                outcome.findings.append(Finding(event.label, str(event.phase), str(event.value)))
    return outcome


def linked() -> dict[str, Any]:
    """The contract, with a link (OpenAPI 3.1 §4.8.20) from every operation that creates or lists
    things to each that reads one by its name: schemathesis guesses some of them, not all."""
    contract: dict[str, Any] = json.loads(json.dumps(document()))
    paths: dict[str, Any] = contract["paths"]
    for path, methods in paths.items():
        reading = {
            row["get"]["operationId"]: found.group(1)
            for below, row in paths.items()
            if "get" in row and (found := re.match(rf"{re.escape(path)}/\{{(\w+)\}}", below))
        }
        for method, at in (("post", ""), ("get", "items/0/")):
            for status in ("200", "201") if method in methods else ():
                if (answer := methods[method]["responses"].get(status)) is not None:
                    answer["links"] = {
                        name: {
                            "operationId": name,
                            "parameters": {f"path.{key}": f"$response.body#/{at}{key}"},
                        }
                        for name, key in reading.items()
                    }
    return contract


def _peer(name: str, token: str) -> dict[str, Any]:
    header = {"name": "Authorization", "value": f"Bearer {token}"}
    return {"name": name, "fixedHeaders": [header]}


def _id(operation: Any) -> str:
    return str(operation.definition.raw["operationId"])


@contextmanager
def _sending(bodies: Mapping[str, Any]) -> Any:
    keys = count()

    def before_call(_: Any, case: Case[Any], __: Any) -> None:
        if (body := bodies.get(_id(case.operation))) is not None:
            case.body = body
            case.headers["Idempotency-Key"] = f"peer-{next(keys)}"
        elif case.query:
            # Conditions are tried elsewhere (tests/walls); here they would only empty the lists.
            case.query.clear()

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        hooks.unregister(before_call)
