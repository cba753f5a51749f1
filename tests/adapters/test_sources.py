"""What every source of shared data must do, whatever its wire: run over each folder with ``kind: source``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.registry import connect, sources
from gateway.domain.department import (
    DepartmentError,
    DepartmentRejected,
    DepartmentUnavailable,
    DepartmentUnintelligible,
    EvidenceSource,
)
from gateway.domain.identity import check_digit
from tests.adapters.conftest import Running, address_of
from tests.adapters.halves import half_an_answer

MANIFESTS = sources()
PERSON, STRANGER, WITH_X = "330381194206071146", "33030219450404938X", "33038119420607104X"
"""Nobody else's: the running systems are shared with the tests of each source."""
PUT_IN = {
    "data-sharing-platform": ("cremation", {"name": "郑秋菊", "at": "2025-08-14T09:00:00"}),
    "e-certificate-library": ("add", {"name": "郑秋菊"}),
}
"""Source → act at its counter after which it holds something of PERSON."""

pytestmark = pytest.mark.parametrize("code", sorted(MANIFESTS))


@pytest.fixture
def platform(department: Callable[[str], Running], code: str) -> Running:
    running = department(code)
    action, options = PUT_IN[code]
    running.counter.act(PERSON, action, **options)
    return running


@pytest.fixture
async def source(platform: Running) -> AsyncIterator[EvidenceSource]:
    made = platform.adapter()
    yield made
    await made.close()


@contextmanager
def behaving(platform: Running, **habits: Any) -> Iterator[None]:
    platform.counter.behave(**habits)
    try:
        yield
    finally:
        platform.counter.behave(**dict.fromkeys(habits, 0))


def check_discreet(error: DepartmentError) -> None:
    assert PERSON not in str(error)
    assert "郑秋菊" not in str(error)


def test_the_manifest_is_sound(code: str, tmp_path: Path) -> None:
    manifest = MANIFESTS[code]
    assert manifest.interface.strip()
    assert 0 < manifest.read_timeout_s <= manifest.timeout_s
    assert manifest.poll_s > 0
    assert "{" not in address_of(manifest, 8100, tmp_path)


def test_it_can_be_tried_out(code: str) -> None:
    command = [sys.executable, "-m", "mocks", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert code in {line.split()[0] for line in listed.stdout.splitlines()}


async def test_a_person_of_whom_nothing_is_held_is_absent(code: str, source: EvidenceSource) -> None:
    found = await source.look_up([PERSON, STRANGER])
    assert set(found) == {PERSON}
    assert (found[PERSON].id_number, found[PERSON].name) == (PERSON, "郑秋菊")


async def test_asking_of_nobody_asks_nobody(code: str, platform: Running, source: EvidenceSource) -> None:
    platform.counter.call("DELETE", "/calls")
    assert await source.look_up([]) == {}
    assert platform.counter.calls() == {}


async def test_many_persons_are_one_call(code: str, platform: Running, source: EvidenceSource) -> None:
    bodies = [f"33050219400101{order}" for order in range(200, 250)]
    many = [body + check_digit(body) for body in bodies]
    await source.look_up([PERSON])
    platform.counter.call("DELETE", "/calls")
    assert set(await source.look_up([*many, PERSON])) == {PERSON}
    assert platform.counter.calls() == {"query": 1}


async def test_more_persons_than_one_call_takes_are_several(code: str, platform: Running) -> None:
    bodies = [f"3305021940010{order:04}" for order in range(400)]
    source = platform.adapter()
    platform.counter.call("DELETE", "/calls")
    assert set(await source.look_up([*(body + check_digit(body) for body in bodies), PERSON])) == {PERSON}
    assert platform.counter.calls()["query"] > 1
    await source.close()


async def test_a_check_character_in_small_letters_is_the_same_person(
    code: str, platform: Running, source: EvidenceSource
) -> None:
    action, options = PUT_IN[code]
    platform.counter.act(WITH_X, action, **options)
    found = await source.look_up([WITH_X.lower()])
    assert set(found) == {WITH_X.lower()}


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_system_error_is_unavailable(code: str, platform: Running, source: EvidenceSource) -> None:
    with behaving(platform, fail=-1), pytest.raises(DepartmentUnavailable) as caught:
        await source.look_up([PERSON])
    check_discreet(caught.value)


async def test_rubbish_is_unintelligible(code: str, platform: Running, source: EvidenceSource) -> None:
    with behaving(platform, rubbish=-1), pytest.raises(DepartmentUnintelligible) as caught:
        await source.look_up([PERSON])
    check_discreet(caught.value)


async def test_a_dropped_line_is_unavailable_and_the_next_question_is_answered(
    code: str, platform: Running, source: EvidenceSource
) -> None:
    with behaving(platform, drop=1), pytest.raises(DepartmentUnavailable) as caught:
        await source.look_up([PERSON])
    check_discreet(caught.value)
    assert set(await source.look_up([PERSON])) == {PERSON}


async def test_slow_is_unavailable_within_the_time_limit(code: str, platform: Running) -> None:
    hasty = platform.adapter(timeout_s=0.3)
    started = time.monotonic()
    with behaving(platform, slow=1.0), pytest.raises(DepartmentUnavailable) as caught:
        await hasty.look_up([PERSON])
    assert time.monotonic() - started < 0.9
    check_discreet(caught.value)
    await hasty.close()


async def test_nobody_there_is_unavailable(code: str, tmp_path: Path) -> None:
    manifest = MANIFESTS[code]
    source = connect(manifest, address_of(manifest, 1, tmp_path), {"secret": "demo"})
    with pytest.raises(DepartmentUnavailable) as caught:
        await source.look_up([PERSON])
    check_discreet(caught.value)
    await source.close()


async def test_a_wrong_secret_is_rejected(code: str, platform: Running) -> None:
    for credentials in ({"secret": "guessed"}, {}):
        source = connect(platform.manifest, platform.address, credentials)
        with pytest.raises(DepartmentRejected) as caught:
            await source.look_up([PERSON])
        check_discreet(caught.value)
        await source.close()


@pytest.mark.parametrize("honest", [True, False])
async def test_half_an_answer_is_no_answer(code: str, honest: bool) -> None:
    body = b'{"code": 0, "data": {"count": 0, "holders": []}}' if honest else b"<a><b>" * 40
    async with half_an_answer(body, honest=honest) as address:
        source = connect(MANIFESTS[code], address, {"secret": "demo"})
        with pytest.raises(DepartmentUnavailable if honest else DepartmentUnintelligible):
            await source.look_up([PERSON])
        await source.close()
