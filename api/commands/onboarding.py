"""An organisation taken in by one command: itself, an invitation, a program, a webhook."""

from pathlib import Path
from typing import Any

import orjson
import yaml

from api.commands.console import Failure, complain, note, table
from api.commands.database import Office, city_of, in_office
from api.commands.members import acting
from api.rest.decode import decode_body
from api.rest.onboarding import OnboardBody, as_said
from api.texts import RULES
from domain.errors import Invalid
from domain.members.onboarding import Onboarded
from domain.members.onboarding import onboard as take_in
from domain.values import Language
from integrations.postgres import office


def onboard(source: Path, /, *, city: str | None = None) -> None:
    """Take an organisation in: itself, its administrator's invitation, a program, a webhook.

    All of it or nothing. Each secret is shown once.

    Parameters
    ----------
    source
        A YAML file: `organisation` (code, kind, names, and as wanted parent, district, calendar,
        contacts), and as wanted `administrator` (name, iin), `client` (the program's name),
        `webhook` (url, event_types). `parent` is the code of the one above it.
    city
        The city's code; needed where there are several.
    """
    said = _read(source)
    done = in_office(lambda at: _take_in(at, said, city))
    rows = [("organisation", str(done.organisation.id)), ("invitation", done.secret)]
    if done.client is not None:
        client, secret = done.client
        rows += [("client_id", str(client.id)), ("client_secret", secret)]
    if done.endpoint is not None:
        rows += [("webhook", done.endpoint.url), ("webhook_secret", done.endpoint.secrets[0].value)]
    table(("what", "value"), rows)
    note(f"Secrets are shown once. The invitation ends {done.invitation.ends_at:%Y-%m-%d}.")


def _read(source: Path) -> Any:
    try:
        said = yaml.safe_load(source.read_bytes())
    except OSError as error:
        raise Failure(f"{source} cannot be read: {error.strerror}", status=2) from error
    except yaml.YAMLError as error:
        raise Failure(f"{source} is no YAML: {error}", status=2) from error
    if not isinstance(said, dict) or not isinstance(said.get("organisation"), dict):
        raise Failure(f"{source} describes no organisation.", status=2)
    return said


async def _take_in(at: Office, said: Any, city: str | None) -> Onboarded:
    home = said["organisation"]
    async with at.engine.connect() as connection:
        place = await city_of(connection, city)
        if (above := home.get("parent")) is not None:
            parent = await office.organisation_id(connection, place.id, str(above))
            if parent is None:
                raise Failure(f"There is no organisation '{above}'.", status=2)
            said = said | {"organisation": home | {"parent": str(parent)}}
    try:
        body: OnboardBody = decode_body(OnboardBody, orjson.dumps(said, default=str))
        return await acting(
            at, city, lambda uow, known, now: take_in(
                as_said(body), uow=uow, reference=known, at=now,
                allow_http=at.settings.webhook_allow_http,
            )
        )  # fmt: skip
    except Invalid as refusal:
        for fault in refusal.faults:
            words = RULES.get(fault.rule, RULES["other"])[Language.EN]
            complain(f"{fault.pointer} {words.format_map(dict(fault.params))}")
        raise Failure("The organisation was not taken in.", status=2) from None
