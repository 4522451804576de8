"""The enums of the graph, each that of the domain."""

from api.graphql.derive import enum_type
from domain import values
from domain.appeals import model
from domain.appeals.workflow import Action, Status
from domain.catalogue import model as catalogue
from domain.incidents import model as incidents
from domain.incidents.workflow import IncidentStatus as IncidentStatusOfDomain
from domain.organisations import model as organisations

Kind = enum_type(model.Kind)
Channel = enum_type(model.Channel)
AppealStatus = enum_type(Status)
AppealAction = enum_type(Action)
Criticality = enum_type(catalogue.Criticality)
OrganisationKind = enum_type(organisations.OrganisationKind)
Language = enum_type(values.Language)
TerritoryKind = enum_type(organisations.TerritoryKind)
IncidentKind = enum_type(incidents.IncidentKind)
IncidentStatus = enum_type(IncidentStatusOfDomain)
