"""How many entries a list may have of which nobody says how long it is to be.

What is of the catalogue and of the city's agreements is as long as in the starter catalogue and
the demonstration city, or longer (tests/api/graphql/test_prices.py counts); what an appeal gathers
is as long as a long history. A city that goes beyond is held by what an operation may make
(engine.py: OVERRUN). Lists without an entry are within a page, which says how long they are, or
hold no objects.
"""

from collections.abc import Mapping

LIST_SIZES: Mapping[tuple[str, str], int] = {
    # The catalogue: as long as they are, so that the whole tree can be asked for at once.
    ("Query", "spheres"): 12,
    ("PublicCity", "spheres"): 12,
    ("Sphere", "categories"): 7,
    ("Category", "services"): 19,
    ("Service", "evidence"): 3,
    # The city.
    ("Query", "districts"): 20,
    ("PublicCity", "districts"): 20,
    ("Query", "territories"): 750,
    ("OrganisationsControl", "items"): 800,
    ("TerritoriesControl", "items"): 750,
    ("Finding", "rules"): 20,
    ("Finding", "organisations"): 20,
    ("Explanation", "considered"): 20,
    ("Explanation", "unasked"): 20,
    ("RuleCount", "rules"): 20,
    ("AppealRoute", "moves"): 20,
    ("PolicyList", "items"): 30,
    ("Policy", "stages"): 3,
    ("PromisedStage", "escalations"): 5,
    ("CalendarList", "items"): 10,
    # Incidents.
    ("PublicCity", "incidents"): 30,
    ("PublicIncident", "services"): 10,
    ("PublicIncident", "districts"): 10,
    ("Incident", "services"): 10,
    ("IncidentArea", "polygon"): 20,
    ("RegisteredPayload", "incidents"): 10,
    # An appeal.
    ("Appeal", "clocks"): 6,
    ("Appeal", "evidence"): 5,
    ("Appeal", "attachments"): 10,
    ("SlaExplanation", "clocks"): 6,
    ("ClockExplanation", "intervals"): 60,
    ("ClockExplanation", "recomputations"): 5,
    ("ClockExplanation", "extensions"): 5,
    ("Interval", "daysOff"): 5,
    ("Interval", "madeWorking"): 5,
    ("Proof", "events"): 50,
    # Triage.
    ("Triage", "services"): 5,
    ("Triage", "incidents"): 5,
    ("Candidate", "promises"): 3,
    ("Candidate", "incidents"): 5,
    # Figures: by service or by day of a year.
    ("FigureTable", "groups"): 430,
    # Keys, webhooks, members, personal data.
    ("KeyList", "keys"): 10,
    ("EndpointList", "items"): 20,
    ("Endpoint", "secrets"): 5,
    ("EndpointWithSecret", "secrets"): 5,
    ("WebhookKeySet", "keys"): 10,
    ("EventTypeList", "items"): 60,
    ("Delivery", "tries"): 20,
    ("MemberWithEvents", "events"): 50,
    ("FoundAppeals", "items"): 100,
    ("Reconciliation", "differences"): 50,
    # Acts.
    ("InvalidProblem", "faults"): 10,
    ("EvidenceMissingProblem", "faults"): 10,
    ("RequestProblem", "faults"): 10,
    ("ActsAnswer", "outcomes"): 100,
}
