"""Every operation of the REST API; routes and contract are both made from this table."""

from api.rest import (
    actions,
    appeals,
    assignments,
    attachments,
    catalogue,
    consultations,
    coverage,
    explain,
    history,
    incident_actions,
    incidents,
    organisations,
    promises,
    register,
    routes,
    service,
    triage,
    webhooks,
)
from api.rest.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *appeals.OPERATIONS,
    *history.OPERATIONS,
    *actions.OPERATIONS,
    *attachments.OPERATIONS,
    *assignments.OPERATIONS,
    *incidents.OPERATIONS,
    *incident_actions.OPERATIONS,
    *catalogue.OPERATIONS,
    *triage.OPERATIONS,
    *consultations.OPERATIONS,
    *organisations.OPERATIONS,
    *coverage.OPERATIONS,
    *routes.OPERATIONS,
    *promises.OPERATIONS,
    *explain.OPERATIONS,
    *register.OPERATIONS,
    *webhooks.OPERATIONS,
    *service.OPERATIONS,
)
