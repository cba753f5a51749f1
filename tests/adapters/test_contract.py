"""What every adapter must do, whatever its wire: run over each folder of ``adapters`` that has a manifest."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.kit.registry import connect, manifests
from gateway.domain.department import (
    Application,
    Department,
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    PaymentInstruction,
    Receipt,
)
from tests.adapters import builders
from tests.adapters.conftest import Running, address_of
from tests.adapters.waiting import eventually

MANIFESTS = manifests()
SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PERSONAL = (
    builders.DECEASED.name,
    builders.DECEASED.id_number,
    builders.DECEASED.hukou_address,
    builders.APPLICANT.name,
    builders.APPLICANT.id_number,
    builders.APPLICANT.phone,
    builders.ACCOUNT.number,
)
NOBODYS_PORT = 1
NOT_ON_THE_WIRE = {
    "elderly-care": "an exchange database: the department sees no SELECT, and its batch is slow, not the database",
}

pytestmark = pytest.mark.parametrize("code", sorted(MANIFESTS))


@pytest.fixture
def office(department: Callable[[str], Running], code: str) -> Running:
    return department(code)


@pytest.fixture
async def adapter(office: Running) -> AsyncIterator[Department]:
    made = office.adapter()
    yield made
    await made.close()


@pytest.fixture(scope="session")
def mocks() -> set[str]:
    """Codes of the departments that ``python -m mocks`` can run."""
    listed = subprocess.run(
        [sys.executable, "-m", "mocks", "list"], capture_output=True, text=True, check=True, timeout=30
    )
    return {line.split()[0] for line in listed.stdout.splitlines()}


def new_key() -> str:
    """A key as long as a key may be."""
    return f"{uuid4()}.{uuid4()}"[:64]


def made(code: str, key: str, **changes: Any) -> Application:
    item = changes.pop("item", MANIFESTS[code].submits[0])
    return builders.application(key, item, account=builders.ACCOUNT, **changes)


def count(office: Running, key: str) -> int:
    """Applications in the department that carry the key anywhere."""
    return sum(key in json.dumps(row) for row in office.counter.applications())


async def known(adapter: Department, key: str) -> None:
    async def probe() -> bool:
        return key in await adapter.read_many([key])

    await eventually(probe)


@asynccontextmanager
async def misbehaving(office: Running, adapter: Department, **habits: Any) -> AsyncIterator[str]:
    """A department with a habit, and a key to use; afterwards it is itself again."""
    key = new_key()
    office.counter.behave(**habits)
    try:
        yield key
    finally:
        office.counter.behave(**dict.fromkeys(habits, 0))

        async def itself() -> bool:
            try:
                await adapter.read_many([key])
            except DepartmentError:
                return False
            return True

        await eventually(itself)


async def told_and_asked(adapter: Department, application: Application) -> None:
    """Submits, then asks until something is wrong: behind files and tables faults show only in the results."""
    await adapter.submit(application)

    async def probe() -> bool:
        await adapter.read_many([application.key])
        return False

    await eventually(probe)


def check_discreet(error: BaseException) -> None:
    assert not [value for value in PERSONAL if value and value in str(error)], "personal data in an error message"


# ── the folder ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_manifest_is_sound(code: str, tmp_path: Path) -> None:
    manifest = MANIFESTS[code]
    assert SLUG.fullmatch(code)
    assert manifest.interface.strip()
    assert manifest.submits, "a department that takes nothing"
    assert all(SLUG.fullmatch(item) for item in manifest.submits)
    assert len(set(manifest.submits)) == len(manifest.submits)
    assert 0 < manifest.read_timeout_s <= manifest.timeout_s
    assert manifest.poll_s > 0
    assert manifest.concurrency >= 1
    assert "{" not in address_of(manifest, 8100, tmp_path)


def test_it_can_be_tried_out(code: str, mocks: set[str]) -> None:
    assert code in mocks


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_item_it_declares_is_taken(code: str, adapter: Department) -> None:
    for item in MANIFESTS[code].submits:
        receipt = await adapter.submit(made(code, new_key(), item=item))
        assert isinstance(receipt, Receipt)


@pytest.mark.rule("PD-16")
async def test_one_key_is_one_application(code: str, office: Running, adapter: Department) -> None:
    key, later = new_key(), new_key()
    await adapter.submit(made(code, key))
    await adapter.submit(made(code, key))
    # A queue numbers its messages, so the receipts may differ; the application is one.
    await known(adapter, key)
    await adapter.submit(made(code, key))
    await adapter.submit(made(code, later))
    await known(adapter, later)
    assert count(office, key) == 1


@pytest.mark.rule("PD-16")
async def test_a_lost_answer_does_not_double_the_application(code: str, office: Running, adapter: Department) -> None:
    key = new_key()
    office.counter.behave(drop=1)
    try:
        await adapter.submit(made(code, key))
    except DepartmentUnavailable as error:
        check_discreet(error)
    office.counter.behave(drop=0)
    await adapter.submit(made(code, key))
    await known(adapter, key)
    assert count(office, key) == 1


async def test_an_unknown_key_is_absent(code: str, adapter: Department) -> None:
    key = new_key()
    await adapter.submit(made(code, key))
    await known(adapter, key)
    found = await adapter.read_many([key, new_key()])
    assert set(found) == {key}
    assert found[key].key == key
    assert found[key].updated_at.tzinfo is not None
    assert await adapter.read_many([]) == {}


async def test_many_keys_are_one_call(code: str, office: Running, adapter: Department) -> None:
    if code in NOT_ON_THE_WIRE:
        pytest.skip(NOT_ON_THE_WIRE[code])
    keys = [new_key() for _ in range(20)]
    await adapter.submit(made(code, keys[0]))
    await known(adapter, keys[0])
    office.counter.call("DELETE", "/calls")
    assert set(await adapter.read_many(keys)) == {keys[0]}
    assert office.counter.calls() == {"query": 1}


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_system_error_is_unavailable(code: str, office: Running, adapter: Department) -> None:
    async with misbehaving(office, adapter, fail=-1) as key:
        with pytest.raises(DepartmentUnavailable) as caught:
            await told_and_asked(adapter, made(code, key))
    check_discreet(caught.value)


async def test_rubbish_is_unintelligible(code: str, office: Running, adapter: Department) -> None:
    async with misbehaving(office, adapter, rubbish=-1) as key:
        with pytest.raises(DepartmentUnintelligible) as caught:
            await told_and_asked(adapter, made(code, key))
    check_discreet(caught.value)


async def test_slow_is_unavailable_within_the_time_limit(code: str, office: Running, adapter: Department) -> None:
    if code in NOT_ON_THE_WIRE:
        pytest.skip(NOT_ON_THE_WIRE[code])
    hasty = office.adapter(timeout_s=0.3)
    async with misbehaving(office, adapter, slow=1.0) as key:
        for call in (lambda: hasty.submit(made(code, key)), lambda: hasty.read_many([key])):
            await check_unavailable(call, within_s=0.9)
    await hasty.close()


async def test_nobody_there_is_unavailable_within_the_time_limit(code: str, tmp_path: Path) -> None:
    manifest = MANIFESTS[code]
    address = address_of(manifest, NOBODYS_PORT, tmp_path)
    adapter = connect(manifest, address, {"token": "demo", "secret": "demo"})
    for call in (lambda: adapter.submit(made(code, "k")), lambda: adapter.read_many(["k"])):
        await check_unavailable(call, within_s=manifest.timeout_s)
    await adapter.close()


async def check_unavailable(call: Callable[[], Coroutine[Any, Any, object]], within_s: float) -> None:
    started = time.monotonic()
    async with asyncio.timeout(within_s + 5):
        with pytest.raises(DepartmentUnavailable) as caught:
            await call()
    assert time.monotonic() - started < within_s
    check_discreet(caught.value)


# ── what it does not do ─────────────────────────────────────────────────────────────────────────────────


async def test_another_departments_item_is_rejected_before_any_call(
    code: str, office: Running, adapter: Department
) -> None:
    with pytest.raises(DepartmentRejected) as caught:
        await adapter.submit(made(code, new_key(), item="no-such-item"))
    check_discreet(caught.value)
    assert not caught.value.retryable
    assert office.counter.calls() == {}


async def test_instructions_only_where_it_declares_them(code: str, adapter: Department) -> None:
    instruction = PaymentInstruction(new_key(), new_key(), "1", "FUNERAL_GRANT", 480000, builders.ACCOUNT)
    if MANIFESTS[code].takes_instructions:
        pytest.skip("takes instructions: its own tests show how")
    with pytest.raises(DepartmentRejected):
        await adapter.instruct(instruction)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00rubbish", "<html>502 网关超时".encode("gb18030"), b"{}", b"[]"])
async def test_messages_only_where_it_declares_them(code: str, adapter: Department, body: bytes) -> None:
    expected = DepartmentUnintelligible if MANIFESTS[code].answers == "callback" else DepartmentRejected
    with pytest.raises(expected):
        adapter.translate(body, {})


async def test_it_acknowledges_in_a_form_of_its_own(code: str, adapter: Department) -> None:
    for error in (None, "not taken"):
        body, content_type = adapter.acknowledge(error)
        assert isinstance(body, bytes)
        assert "/" in content_type
