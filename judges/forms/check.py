"""Hold the answers that the form libraries sent against the house's own validator.

Usage: `python judges/forms/check.py SUBMITTED.json`
"""

import sys
from pathlib import Path

import orjson
import yaml
from export import STARTER

from domain.catalogue.exchange import References
from domain.catalogue.forms import Forms
from domain.catalogue.model import Service
from domain.organisations.model import OrganisationKind
from integrations.files import catalogue_yaml


def services() -> dict[str, Service]:
    """The services of the starter catalogue by code."""
    content = yaml.safe_load((STARTER / "policies.yaml").read_text("utf-8"))
    policies = frozenset(policy["code"] for policy in content["policies"])
    reading = catalogue_yaml.read_folder(STARTER, References(policies, tuple(OrganisationKind)))
    if reading.draft is None:
        raise SystemExit(f"the starter catalogue is not sound: {reading.problems}")
    return {service.code: service for service in reading.draft.services}


def main(path: str) -> int:
    """Print how many were sound; 1 when any is not, or when there were none at all."""
    known, forms = services(), Forms()
    sent = orjson.loads(Path(path).read_bytes())
    wrong = [
        (entry, faults)
        for entry in sent
        if (faults := forms.faults(known[entry["code"]], entry["answers"]))
    ]
    for entry, faults in wrong:
        where = f"{entry['library']} {entry['language']} {entry['code']}"
        sys.stderr.write(f"{where}: {faults}\n")
    sound = len(sent) - len(wrong)
    sys.stdout.write(f"domain Forms: {sound} of {len(sent)} submitted answers sound\n")
    return 0 if sent and not wrong else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
