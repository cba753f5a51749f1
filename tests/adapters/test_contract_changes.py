"""What every adapter must do when a case changes after it was told: corrections (更正) and reversals (撤销、恢复).

Run over each folder of ``adapters`` that has a manifest, as ``test_contract.py``.
"""

from __future__ import annotations

import json
import urllib.error
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from gateway.domain.case import REVERSAL
from gateway.domain.department import (
    Application,
    Death,
    Department,
    DepartmentRejected,
    Outcome,
    PaymentInstruction,
    PaymentState,
    Record,
)
from tests.adapters import builders
from tests.adapters.conftest import Counter, Running
from tests.adapters.listening import listening
from tests.adapters.test_contract import MANIFESTS, known, made
from tests.adapters.waiting import eventually

FINAL = ("done", "refused", "none")
REASON = '误报：本人健在，见"回访记录"|<&]]>\n第2页'
"""With every mark that means something in one of the formats."""
CALLING = sorted(code for code, manifest in MANIFESTS.items() if manifest.answers == "callback")

every_department = pytest.mark.parametrize("code", sorted(MANIFESTS))


@pytest.fixture
def office(department: Callable[[str], Running], code: str) -> Running:
    return department(code)


@pytest.fixture
async def adapter(office: Running) -> AsyncIterator[Department]:
    made = office.adapter()
    yield made
    await made.close()


def short_key() -> str:
    """Short enough for ``.R`` behind it."""
    return f"HZ{uuid4().hex[:20]}.item"


def reversal(code: str, key: str, item: str | None = None) -> Application:
    """As the gateway makes it: no applicant, certificates, account or form fields, perhaps no date of death."""
    bare: dict[str, Any] = {"applicant": None, "certificates": (), "due_at": None, "death": Death("OUTSIDE")}
    item = item or MANIFESTS[code].submits[0]
    return builders.application(key + REVERSAL, item, reverses=key, reversal_reason=REASON, **bare)


def rows(counter: Counter, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    found = [row for row in counter.applications() if row["key"] in keys]
    assert len(found) == len({row["key"] for row in found}), "an application is there twice"
    return {row["key"]: row for row in found}


def row(office: Running, key: str) -> dict[str, Any]:
    return rows(office.counter, [key])[key]


async def held(adapter: Department, keys: Collection[str]) -> None:
    """Until the department has taken all of them in; some work in batches."""

    async def probe() -> bool:
        return set(await adapter.read_many(list(keys))) == set(keys)

    await eventually(probe)


async def outcomes(adapter: Department, keys: Collection[str], wanted: Outcome) -> dict[str, Record]:
    """The records once each of them says so; some are published or flow back later."""

    async def probe() -> dict[str, Record] | None:
        found = dict(await adapter.read_many(list(keys)))
        done = set(found) == set(keys) and all(record.outcome is wanted for record in found.values())
        return found if done else None

    return await eventually(probe)


def finish(counter: Counter, keys: Collection[str]) -> None:
    """The clerk does what is left to do; some departments are done at once."""
    for action in ("accept", "finish"):
        for key, found in rows(counter, keys).items():
            if found["state"] not in FINAL:
                counter.act(key, action)


# ── reversals ───────────────────────────────────────────────────────────────────────────────────────────


@every_department
async def test_a_reversal_is_taken_once_and_is_read_back(code: str, office: Running, adapter: Department) -> None:
    key = short_key()
    await adapter.submit(made(code, key))
    await known(adapter, key)
    undo = reversal(code, key)
    await adapter.submit(undo)
    await adapter.submit(undo)
    await known(adapter, undo.key)
    await adapter.submit(undo)
    finish(office.counter, [undo.key])
    await outcomes(adapter, [undo.key], Outcome.COMPLETED)
    assert set(rows(office.counter, [key, undo.key])) == {key, undo.key}


@every_department
async def test_whatever_it_was_never_told_can_be_undone(code: str, office: Running, adapter: Department) -> None:
    undoing = {undo.key: undo for undo in (reversal(code, short_key(), item) for item in MANIFESTS[code].submits)}
    for undo in undoing.values():
        await adapter.submit(undo)
    await held(adapter, undoing)
    for key, found in rows(office.counter, undoing).items():
        told = json.dumps(found["payload"], ensure_ascii=False)
        assert "本人健在" in told and "第2页" in told, "the reason reaches the clerk"
        assert f'"{undoing[key].reverses}"' in told
    finish(office.counter, undoing)
    for record in (await outcomes(adapter, undoing, Outcome.COMPLETED)).values():
        assert (record.payments, record.certificates, dict(record.details)) == ((), (), {})


@every_department
async def test_what_was_undone_is_over_and_pays_no_more(code: str, office: Running, adapter: Department) -> None:
    """Over every item: done first, then undone."""
    firsts = {short_key(): item for item in MANIFESTS[code].submits}
    for key, item in firsts.items():
        await adapter.submit(made(code, key, item=item))
    await held(adapter, firsts)
    finish(office.counter, firsts)
    sums = [(key, each) for key, first in rows(office.counter, firsts).items() for each in first["sums"]]
    undoing = [reversal(code, key, item) for key, item in firsts.items()]
    for undo in undoing:
        await adapter.submit(undo)
    await held(adapter, [undo.key for undo in undoing])
    finish(office.counter, [undo.key for undo in undoing])

    after = rows(office.counter, firsts)
    assert all(first["undone"] for first in after.values())
    assert not [each for first in after.values() for each in first["sums"] if each["state"] != "paid"]
    for key in firsts:
        with pytest.raises(urllib.error.HTTPError):
            office.counter.act(key, "pay")

    async def nothing_to_pay() -> bool:
        records = (await adapter.read_many(list(firsts))).values()
        return not [sum_ for record in records for sum_ in record.payments if sum_.state is not PaymentState.PAID]

    await eventually(nothing_to_pay)
    if MANIFESTS[code].takes_instructions:
        assert sums, "a department that is told accounts approves sums"
        key, each = sums[0]
        late = PaymentInstruction(short_key(), key, each["serial"], "FUNERAL_GRANT", 1, builders.ACCOUNT)
        with pytest.raises(DepartmentRejected):
            await adapter.instruct(late)


@every_department
async def test_a_reversal_may_be_refused_with_its_reason_and_done_after_all(
    code: str, office: Running, adapter: Department
) -> None:
    undo = reversal(code, short_key())
    await adapter.submit(undo)
    await known(adapter, undo.key)
    if row(office, undo.key)["state"] == "done":
        pytest.skip("undoes at once")
    office.counter.act(undo.key, "refuse", reason="待遇已发放，须先追回")
    record = (await outcomes(adapter, [undo.key], Outcome.REFUSED))[undo.key]
    assert record.reason == "待遇已发放，须先追回"
    if code != "data-direct":  # behind the hub a result is final
        office.counter.act(undo.key, "finish")
        await outcomes(adapter, [undo.key], Outcome.COMPLETED)


@pytest.mark.parametrize("code", CALLING)
async def test_the_answer_to_a_reversal_is_sent_like_any_other(code: str, tmp_path: Path) -> None:
    async with listening(code, tmp_path, token="demo", secret="demo") as running:
        for action, expected in (("finish", Outcome.COMPLETED), ("refuse", Outcome.REFUSED)):
            undo = reversal(code, short_key())
            await running.adapter.submit(undo)
            running.counter.act(undo.key, action)
            (record,) = (await running.message()).records
            assert (record.key, record.outcome) == (undo.key, expected)
            assert (record.payments, record.certificates) == ((), ())


# ── corrections ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("PD-06")
@every_department
@pytest.mark.parametrize("state", ["registered", "accepted", "done"])
async def test_a_correction_replaces_what_was_told_under_the_same_key(
    code: str, office: Running, adapter: Department, state: str
) -> None:
    key = short_key()
    first = made(code, key)
    await adapter.submit(first)
    await known(adapter, key)
    if state == "accepted" and row(office, key)["state"] == "registered":
        office.counter.act(key, "accept")
    elif state == "done":
        finish(office.counter, [key])
    before = row(office, key)
    renamed = replace(builders.DECEASED, name="沈福庚")
    again = replace(first, deceased=renamed, correction=1, correction_answer="姓名更正")
    await adapter.submit(again)

    async def arrived() -> bool:
        told = row(office, key)["payload"]
        named = "沈福" in json.dumps(before["payload"], ensure_ascii=False)  # a platform may be told no name at all
        return told != before["payload"] and (not named or "沈福庚" in json.dumps(told, ensure_ascii=False))

    await eventually(arrived)
    after = row(office, key)
    if before["state"] == "returned":
        return  # it asked for a correction by itself: this one is an answer to it
    assert [note[:3] for note in after["corrections"]] == ["更正："]
    assert {name: after[name] for name in ("state", "sums", "certificate")} == {
        name: before[name] for name in ("state", "sums", "certificate")
    }, "what the department has decided stays"
    await adapter.submit(again)
    await known(adapter, key)
    assert row(office, key)["corrections"] == after["corrections"]
