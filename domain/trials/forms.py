"""Answers that a drafted form would refuse, though the form in force takes them."""

from collections.abc import Iterable, Mapping

from domain.catalogue.forms import Forms
from domain.trials.draft import Trial
from domain.trials.tally import Some, Tally


def redrawn(trial: Trial) -> frozenset[str]:
    """The services whose form the draft changes."""
    now, drafted = trial.now.catalogue, trial.drafted.catalogue
    return frozenset(
        service.code
        for service in now.services
        if service.code in drafted and drafted.service(service.code).form != service.form
    )


def count_misfits(
    trial: Trial,
    answers: Iterable[tuple[bytes, str, Mapping[str, object]]],
    services: Mapping[str, int],
    tally: Tally,
) -> None:
    """Count appeals (id, service, answers) whose answers no longer fit, by service's ordinal."""
    before, after = Forms(), trial.drafted.forms
    for id, code, given in answers:
        now, drafted = (r.catalogue.service(code) for r in (trial.now, trial.drafted))
        if after.faults(drafted, given) and not before.faults(now, given):
            tally.misfits.setdefault(services[code], Some()).add(1, [id])
