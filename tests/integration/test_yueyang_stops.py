"""岳阳县 (AS-07): departments take the cremation information and stop benefits without any application (YY-514)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.access import rights
from gateway.access.rights import Viewer
from gateway.access.sight import see
from gateway.domain.department import Outcome
from gateway.domain.form import DeathForm
from gateway.domain.messages import Refused
from gateway.services import correction, dispatch, revocation, shared
from gateway.services.correction import Changes
from gateway.services.shared import Shared
from gateway.store.session import Database
from tests.builders import DUTY, World, codes, moment
from tests.yueyang import (
    CLERK,
    CREMATION,
    FOUR,
    FUND,
    HUKOU,
    LI_DEFU,
    PULLED,
    RETIRED,
    VETERAN,
    apply,
    connected,
    cremation,
    policy,
    sent,
    stop,
    system,
    upload,
    yy_form,
)


@pytest.fixture
def county(database: Database) -> World:
    return connected(database)


@pytest.mark.rule("AS-07", "YY-514", "YY-825", "C-22")
@pytest.mark.parametrize("department", sorted(PULLED))
def test_each_department_takes_the_cremation_information_without_any_application(
    county: World, department: str
) -> None:
    upload(county)
    with county.acting(system(department)) as ctx:
        ((_, record),) = shared.find(ctx, department, "yy", ("430621",), None, 10)
    assert (record.deceased.id_number, [found.type for found in record.certificates]) == (LI_DEFU, ["CREMATION"])
    for slug in PULLED[department]:
        assert stop(county, department, slug).changed
        assert not stop(county, department, slug).changed, "twice is once"
    assert (county.count(), county.queued) == (0, []), "no case, no form, no payment exists"
    with county.acting(system(department)) as ctx:
        ((_, record),) = shared.find(ctx, department, "yy", ("430621",), None, 10)
    assert set(record.stops) == set(PULLED[department]), "each sees its own stops"


@pytest.mark.rule("AS-07", "YY-514", "PD-06")
def test_a_department_records_only_its_own_stops_and_only_on_a_cremation(county: World) -> None:
    with pytest.raises(Refused) as found:
        stop(county, "social-security", "retirement-pension-stop")
    assert codes(found.value) == ["NOTHING_SHARED"]
    upload(county)
    for department, slug, code in (
        ("housing-fund", "retirement-pension-stop", "NOT_OWNER"),
        ("social-security", RETIRED, "NOT_OWNER"),
        ("social-security", "nonsense", "ITEM_UNKNOWN"),
    ):
        with pytest.raises(Refused) as found:
            stop(county, department, slug)
        assert codes(found.value) == [code]


@pytest.mark.rule("AS-07", "YY-614", "YY-608", "X-05")
def test_the_case_shows_what_was_stopped_already_and_pushes_none_of_it(county: World) -> None:
    upload(county)
    for department, slugs in PULLED.items():
        for slug in slugs:
            stop(county, department, slug, "R-1")
    apply(county, items=(*FOUR, VETERAN))
    case = county.case()
    done = {slug for slugs in PULLED.values() for slug in slugs}
    assert {slug for slug, found in case.items.items() if found.found} == {*done, CREMATION}
    assert case.items["housing-fund-account-seal"].finished_at == moment("2021-06-15 11:30")
    assert done.isdisjoint(slug for _, slug in sent(county))
    assert county.status(FUND) == "DISPATCHED", "a sealed account can still be withdrawn"
    assert VETERAN in case.items, "the stop and the claim do not cancel each other"


@pytest.mark.rule("YY-514")
def test_a_stop_recorded_after_the_application_enters_the_case_done(county: World) -> None:
    apply(county)
    upload(county, "2021-06-18 10:00")
    assert stop(county, "social-security", "retirement-pension-stop").case is not None
    found = county.item("retirement-pension-stop")
    assert (found.status, found.found, found.reason.code) == ("COMPLETED", True, "RECORDED_BY_DEPARTMENT")


@pytest.mark.rule("YY-514", "YY-825")
def test_a_certificate_that_came_into_the_case_is_shared_as_well(county: World) -> None:
    apply(county)
    county.report("civil-affairs", CREMATION, "c-1", certificates=(cremation(),))
    assert county.status(HUKOU) == "DISPATCHED"
    assert stop(county, "social-security", "retirement-pension-stop").changed


@pytest.mark.rule("YY-514")
def test_a_wrong_death_is_undone_by_those_who_acted_on_shared_data_too(county: World) -> None:
    county.outward = replace(county.outward, connected=county.outward.connected | {"veterans-affairs"})
    upload(county)
    stop(county, "veterans-affairs", "veteran-preferential-stop")
    apply(county)
    with county.acting(DUTY) as ctx:
        case = revocation.revoke(ctx, county.number, "误报")
    assert {slug for slug, found in case.items.items() if found.reversal} == {*FOUR, "veteran-preferential-stop"}
    assert ("veterans-affairs", "veteran-preferential-stop.R") in sent(county)
    with pytest.raises(Refused) as found:
        stop(county, "social-security", "retirement-pension-stop")
    assert codes(found.value) == ["CASE_REVOKED"]
    with county.acting(system("social-security")) as ctx:
        ((_, record),) = shared.find(ctx, "social-security", "yy", None, None, 10)
    assert record.revocation is not None and record.revocation.reason == "误报"


@pytest.mark.rule("YY-514")
def test_a_stop_recorded_after_the_case_was_closed_is_undone_as_well(county: World) -> None:
    county.outward = replace(county.outward, connected=county.outward.connected | {"veterans-affairs"})
    upload(county)
    apply(county)
    for slug in FOUR:
        department = policy().item(slug).department  # type: ignore[union-attr]
        county.report(department or "", slug, f"s-{slug}", Outcome.REFUSED, reason="无此参保")
    assert county.case().status == "CLOSED"
    assert stop(county, "veterans-affairs", "veteran-preferential-stop").case is None
    with county.acting(DUTY) as ctx:
        case = revocation.revoke(ctx, county.number, "误报")
    assert {slug for slug, found in case.items.items() if found.reversal} == {*FOUR, "veteran-preferential-stop"}
    assert ("veterans-affairs", "veteran-preferential-stop.R") in sent(county)


@pytest.mark.rule("YY-514")
def test_who_only_recorded_a_stop_sees_the_case_to_answer_its_reversal(county: World) -> None:
    upload(county)
    stop(county, "veterans-affairs", "veteran-preferential-stop")
    apply(county)
    veterans = Viewer("specialist", "430621", "退役军人专员", "va-1", "veterans-affairs")
    assert see(rights.load(), veterans, policy(), county.case()) is None
    with county.acting(DUTY) as ctx:
        case = revocation.revoke(ctx, county.number, "误报")
    seen = see(rights.load(), veterans, policy(), case)
    assert seen is not None and set(seen.items) == {"veteran-preferential-stop"}


@pytest.mark.rule("YY-514")
def test_a_wrong_death_for_which_nobody_applied_is_revoked_and_a_real_one_is_shared_later(county: World) -> None:
    def revoke(areas: tuple[str, ...] | None = ("4306",)) -> Shared:
        with county.acting(DUTY) as ctx:
            return shared.revoke_record(ctx, areas, "yy", LI_DEFU, "误报")

    with pytest.raises(Refused) as found:
        revoke()
    assert codes(found.value) == ["NOTHING_SHARED"]
    upload(county)
    stop(county, "social-security", "retirement-pension-stop")
    with pytest.raises(Refused) as found:
        revoke(("3305",))
    assert codes(found.value) == ["NOTHING_SHARED"], "it lies outside"
    assert (revoke().changed, revoke().changed) == (True, False)
    with pytest.raises(Refused) as found:
        upload(county)
    assert codes(found.value) == ["CASE_REVOKED"], "the wrong certificate stays wrong"
    with county.acting(system("civil-affairs")) as ctx:
        real = replace(cremation(), number="YY-HH-2")
        done = shared.share(ctx, "civil-affairs", "yy", yy_form().deceased, DeathForm(), real)
    assert done.changed and done.record.revocation is None
    assert [known.number for known in done.record.certificates] == ["YY-HH-2"] and not done.record.stops
    assert stop(county, "social-security", "retirement-pension-stop").changed
    apply(county)
    with pytest.raises(Refused) as found:
        revoke()
    assert codes(found.value) == ["ACTION_NOT_POSSIBLE"], "a case took it over"


def test_only_the_issuer_shares_a_certificate_and_only_of_somebody_known(county: World) -> None:
    with county.acting(system("housing-fund")) as ctx, pytest.raises(Refused) as found:
        shared.share(ctx, "housing-fund", "yy", yy_form().deceased, DeathForm(), cremation())
    assert codes(found.value) == ["NOT_ISSUER"]
    for number, code in ((None, "FIELD_REQUIRED"), (LI_DEFU[:-1] + "0", "ID_NUMBER_INVALID")):
        deceased = replace(yy_form().deceased, id_number=number)
        with county.acting(system("civil-affairs")) as ctx, pytest.raises(Refused) as found:
            shared.share(ctx, "civil-affairs", "yy", deceased, DeathForm(), cremation())
        assert codes(found.value) == [code]


def test_the_history_of_a_shared_record_is_chained_and_its_fold_is_the_record(county: World) -> None:
    from gateway.domain.shared import fold
    from gateway.store import ledger

    upload(county)
    record = stop(county, "social-security", "retirement-pension-stop").record
    with county.database.read() as tx:
        assert ledger.verify(tx, record.number) == []
        entries = ledger.entries(tx, [record.number])[record.number]
    assert fold((entry.at, entry.event) for entry in entries) == record


@pytest.mark.rule("YY-304", "YY-601")
def test_the_police_station_goes_to_the_police_and_a_correction_of_it_reaches_them_only(county: World) -> None:
    upload(county)
    apply(county)
    for slug in FOUR:
        county.delivered(slug)
    since = len(county.queued)
    with county.acting(CLERK) as ctx:
        values = {"deceased.policeStation": "新墙派出所"}
        correction.correct(ctx, county.number, Changes(values), "派出所填错")
    assert [work.args[1] for work in county.queued[since:]] == [HUKOU]
    with county.acting() as ctx:
        told = dispatch.application(ctx, county.number, HUKOU)
    assert told is not None and told.details == {"deceased.policeStation": "新墙派出所"}
