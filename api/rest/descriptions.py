"""What the contract says, in words, of tags and of parameters."""

TAGS = {
    "Appeals": "What residents asked for: registered, read, put right",
    "Actions": "The life of an appeal, from the first answer to the resident's confirmation",
    "Attachments": "Pictures, recordings and documents of an appeal",
    "Assignments": "What was given to an organisation, and what became of it",
    "Incidents": "One problem behind many appeals: outages, damage, planned works",
    "Catalogue": "What the city does, and what must be asked for it",
    "Triage": "What the resident's words mean, before anything is registered",
    "Organisations": "Who does it, where, and where appeals are routed",
    "Promises": "Terms, working time, and the clocks that run against them",
    "Webhooks": "News of the register, brought to the subscriber's own address",
    "Register": "Proofs that nothing was changed or lost: receipts, checkpoints, growth",
    "Service": "The platform itself: who asks, how it fares, the figures",
}

PATH = {
    "number": "Registration number of the appeal",
    "id": "Id of the thing",
    "code": "Code of the thing, unique in the city",
}

QUERY = {
    "status": "Where the appeal stands; may be repeated, any of them will do",
    "service": "Code of a service of the catalogue",
    "category": "Code of a category of the catalogue",
    "sphere": "Code of a sphere of the catalogue",
    "district": "Code of a district",
    "organisation": "Id of the organisation",
    "channel": "How the resident came",
    "kind": "Of this kind only",
    "criticality": "Of this criticality only",
    "emergency": "Only emergencies, or only what is none",
    "overdue": "Only what is past due",
    "registered_from": "Registered at this time or later (RFC 3339)",
    "registered_to": "Registered before this time (RFC 3339)",
    "done_from": "Reported done at this time or later (RFC 3339); 30 days before the end",
    "done_to": "Reported done before this time (RFC 3339); now",
    "by": "A row for each executor, or for each service of each executor",
    "q": "Words to look for",
    "limit": "How many to show at most",
    "cursor": "The `next` of the page before",
    "after": "Go on after this one: the `next` of the page before",
    "at_least": "How many appeals a group must have",
    "joined": "Only appeals joined to an incident, or only others",
    "incident": "Joined to this incident",
    "state": "In this state; may be repeated, any of them will do",
    "building": "Id of a building",
    "address": "An address as it is said or typed",
    "latitude": "Degrees north, WGS 84",
    "longitude": "Degrees east, WGS 84",
    "at": "At this time instead of now (RFC 3339)",
    "severity": "Only errors, or only warnings",
    "lack": "Of this code only",
    "stage": "Of this promise only",
    "city": "Code of the city; needed only where the installation serves several",
    "from": "Leaves of the older tree",
    "to": "Leaves of the newer tree; none: those of the newest checkpoint",
    "below": "Only checkpoints of fewer leaves than this: the `next` of the page before",
    "due_before": "Due before this time (RFC 3339)",
}

LANGUAGE = "The language of the answer: kk, ru or en (RFC 9110)"
