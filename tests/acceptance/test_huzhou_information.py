"""治丧信息 over HTTP: what family and staff see of the funeral, with the position that opens navigation."""

from __future__ import annotations

import pytest

from tests.acceptance.stage import Stage, form

QUERY = """query($n: String!) { case(number: $n) { dutyContact funeralInformation {
  funeralHome bookedAt vehicle pickupAddress ashesPlacement ashesPlace position } } }"""


@pytest.mark.rule("HZ-821", "HZ-823", "HZ-906", "HZ-824")
def test_the_funeral_is_told_to_the_family_and_to_those_who_look_after_the_case(stage: Stage) -> None:
    answers = {
        "funeral.pickupAddress": "月河街道同心路8号",
        "funeral.position": "30.8672, 120.0933",
        "ashes.placement": "公墓安葬",
        "ashes.placeName": "凤凰公墓",
    }
    told = form(answers=[{"path": path, "value": value} for path, value in answers.items()])
    assistant = stage.token("civil-affairs-assistant", department="civil-affairs", name="姚丽")
    number = stage.do(assistant, "submitCase", "case { number }", **told)["case"]["number"]
    certificate = {"type": "DEATH_MEDICAL", "number": "D-1", "issuedAt": "2025-11-07T22:00:00+08:00"}
    health = stage.token("specialist", department="health")
    done = {"caseNumber": number, "item": "death-cert-normal", "serial": "h1", "certificates": [certificate]}
    stage.do(health, "completeItem", "acknowledgement", **done)
    booked = {"funeralHome": "湖州市殡仪馆", "bookedAt": "2025-11-10T08:00:00+08:00", "vehicle": "浙E·D0001"}
    details = [{"name": name, "value": value} for name, value in booked.items()]
    funeral = stage.token("specialist", department="civil-affairs")
    done = {"caseNumber": number, "item": "funeral-service", "serial": "f1", "details": details}
    stage.do(funeral, "completeItem", "acknowledgement", **done)
    expected = {
        **booked,
        "pickupAddress": "月河街道同心路8号",
        "ashesPlacement": "公墓安葬",
        "ashesPlace": "凤凰公墓",
        "position": "geo:30.8672,120.0933",
    }
    for token in (stage.token("family", id_number="330502196607189625"), stage.token("duty-person")):
        assert stage.ask(token, QUERY, n=number)["case"]["funeralInformation"] == expected
