"""Which entry of the catalogue an appeal is about."""

from datetime import datetime

from domain.access import Permission, Principal
from domain.catalogue.model import Service
from domain.errors import Invalid
from domain.reference import Reference


def available_service(
    code: str, version: int | None, principal: Principal, reference: Reference, at: datetime
) -> Service:
    """The service, if this caller may choose it today.

    Raises Invalid at /service (`unknown-service`, `expired-service`) or /service_version
    (`expired-version`, naming the current one).
    """
    if code not in reference.catalogue:
        raise Invalid.at("/service", "unknown-service", value=code)
    service = reference.catalogue.service(code)
    if not (service.public or principal.may(Permission.REGISTER_FOR_OTHERS)):
        raise Invalid.at("/service", "unknown-service", value=code)
    if not service.valid_on(reference.city.local(at).date()):
        raise Invalid.at("/service", "expired-service", value=code)
    if version is not None and version != service.version:
        raise Invalid.at("/service_version", "expired-version", current=service.version)
    return service
