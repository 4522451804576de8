"""Appeals in the graph: the same of them as over REST, to the same people."""

import pytest

from domain.access import Role
from tests.support.city import MANHOLE
from tests.support.graph import Graph
from tests.support.rest import Callers

WHOLE = """
query ($number: String!) { appeal(number: $number) {
  uuid number status kind channel language serviceCode serviceVersion category sphere criticality
  emergency text answers contact firstContact reopened registeredAt updatedAt closedAt dueAt version
  service { code name } serviceName organisation { uuid name } district { code }
  location { building street district address apartment coordinates { latitude longitude } }
  applicant { anonymous citizen name phone email } operator
  assignment { id state offeredAt answeredAt doneAt organisation { uuid } }
  clocks { stage round state startedAt dueAt metAt breachedAt pausedAt policy policyVersion }
  route { reason responsibility } pause { reason since until }
  evidence { stage photos withinMetres waived placeless text }
  nationalNumber redirected extension { stage round until askedAt }
  legal { kind name article lawVersion received lastDay considered threat prolonged }
  leading { by stage dueAt article sentence }
  confirmation { by role how at rating } allowed incident { uuid }
  events { id sequence type at actor { role id organisation } about data texts previous hash }
  attachments { id }
} }
"""


async def test_an_appeal_says_what_it_says_over_rest(callers: Callers, graph: Graph):
    number = (await callers.brought_to("in_progress"))["number"]
    for role in (Role.INSPECTOR, Role.EXECUTOR, Role.AUDITOR):
        rest = (await callers.call("GET", f"/v1/appeals/{number}", role=role)).json()
        events = (await callers.call("GET", f"/v1/appeals/{number}/events", role=role)).json()
        found = (await graph.data(WHOLE, role, number=number))["appeal"]
        assert found["uuid"] == rest["id"]
        assert found["number"] == number
        assert found["status"] == "IN_PROGRESS"
        assert found["serviceCode"] == MANHOLE
        assert found["service"]["name"] == found["serviceName"] == rest["service"]["name"]
        for name in ("text", "answers", "reopened", "contact", "version", "pause", "operator",
                     "redirected", "extension"):  # fmt: skip
            assert found[name] == rest[name], name
        for name in ("registered_at", "updated_at", "closed_at", "due_at"):
            assert found[_camel(name)] == rest[name], name
        assert found["location"] == rest["location"]
        assert found["applicant"] == rest["applicant"]
        assert found["assignment"]["organisation"]["uuid"] == found["organisation"]["uuid"]
        assert found["clocks"] == [_camels(clock) for clock in rest["clocks"]]
        assert [action.lower() for action in found["allowed"]] == rest["allowed"]
        assert found["nationalNumber"] == rest["national_number"]
        assert rest["leading"] is not None
        assert found["leading"] == _camels(rest["leading"])
        assert found["events"] == [_camels(event) for event in events["items"]]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _camels(said: dict[str, object]) -> dict[str, object]:
    return {_camel(name): value for name, value in said.items()}


TRIAGE = """query ($input: TriageInput!) {
  triage(input: $input) { services { promises { stage } } } }"""


@pytest.mark.parametrize(
    ("said", "lawful"),
    [
        ({"channel": "WEB", "kind": "APPLICATION"}, {"consider", "redirect"}),
        ({"channel": "WEB"}, set()),
        ({"appealKind": "COMPLAINT"}, {"consider", "redirect"}),
        ({"anonymous": True, "reportsThreat": True}, {"redirect"}),
    ],
)
async def test_triage_tells_the_laws_terms_where_they_are_known(graph: Graph, said, lawful):
    words = {"text": "посреди дороги открытый люк", **said}
    answer = await graph.data(TRIAGE, Role.OPERATOR, input=words)
    for service in answer["triage"]["services"]:
        stages = {promise["stage"].lower() for promise in service["promises"]}
        assert stages & {"consider", "redirect"} == lawful
