"""Exports of the ledger: checked with the public key alone, and whatever is changed in one is found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from gateway.store import export, proof
from gateway.store.export import Wanted
from tests.builders import World, moment
from tests.checkpointed import KEYS, OURS, THEIRS, kept_in

pytestmark = pytest.mark.databases


@pytest.fixture
def kept(world: World) -> World:
    return kept_in(world)


def exported(world: World, *numbers: str, **wanted: Any) -> list[bytes]:
    with world.database.read() as tx:
        found = export.lines(tx, Wanted(numbers, **wanted), world.now, OURS.public_key(), OURS.statement)
        return [line.encode() for line in found]


def checked(lines: Iterable[bytes]) -> list[str]:
    found, _ = proof.check(lines, KEYS)
    return found.faults


def inner(lines: list[dict[str, Any]]) -> list[str]:
    """What is found besides that the file as a whole is not the one that was signed."""
    raw = [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines]
    return [fault for fault in checked(raw) if not fault.startswith("the file is not")]


@pytest.mark.parametrize("open", [False, True])
@pytest.mark.parametrize("what", ["everything", "a case", "a time"])
def test_an_export_is_checked_with_the_public_key_alone(kept: World, what: str, open: bool) -> None:
    numbers = {"a case": (kept.number,)}.get(what, ())
    times = {"since": moment("2025-11-08 00:00"), "until": moment("2025-11-09 00:00")} if what == "a time" else {}
    lines = exported(kept, *numbers, open=open, **times)
    found, _ = proof.check(lines, KEYS)
    assert found.faults == []
    assert found.counts["entry"] > 2 and found.counts["head"] >= 1
    assert found.waiting == (1 if what == "everything" else 0)
    assert (b'"body"' in b"".join(lines)) is open


def test_an_export_without_bodies_holds_nothing_personal(kept: World) -> None:
    from tests.integration.test_ledger import PRIVATE

    text = b"".join(exported(kept)).decode()
    assert not [private for private in PRIVATE if private in text]


def test_an_auditor_needs_one_file_of_ours_and_the_key(kept: World, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "proof.py").write_text(Path(proof.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    (alone / "export.jsonl").write_bytes(b"".join(exported(kept)))
    (alone / "key.json").write_text(json.dumps(OURS.public_key()))
    (alone / "other.json").write_text(json.dumps(THEIRS.public_key()))

    def run(key: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "proof.py", "export.jsonl", key]
        return subprocess.run(command, cwd=alone, capture_output=True, text=True, timeout=60)

    good = run("key.json")
    assert good.returncode == 0 and "0 faults" in good.stdout, good.stdout + good.stderr
    assert run("other.json").returncode == 1


@pytest.mark.parametrize("open", [False, True])
def test_one_altered_byte_anywhere_is_found(kept: World, open: bool) -> None:
    """In every field of every line, the last line included."""
    lines = exported(kept, kept.number, open=open)
    for place, line in enumerate(lines):
        for column in {*range(0, len(line), 7), len(line) - 2}:
            altered = bytearray(line)
            altered[column] ^= 1
            assert checked([*lines[:place], bytes(altered), *lines[place + 1 :]]), (place, column)


def without(kind: str, which: int = -1) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        places = [place for place, line in enumerate(lines) if line["line"] == kind]
        del lines[places[which]]

    return change


def altered(kind: str, name: str, value: Any, which: int = 2) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        found = [line for line in lines if line["line"] == kind]
        found[min(which, len(found) - 1)][name] = value

    return change


def swapped(lines: list[dict[str, Any]]) -> None:
    places = [place for place, line in enumerate(lines) if line["line"] == "entry"]
    one, two = places[2], places[3]
    lines[one], lines[two] = lines[two], lines[one]


def doubled(kind: str) -> Callable[[list[dict[str, Any]]], None]:
    def change(lines: list[dict[str, Any]]) -> None:
        place = next(place for place, line in enumerate(lines) if line["line"] == kind)
        lines.insert(place, lines[place])

    return change


def rehashed(lines: list[dict[str, Any]]) -> None:
    """An entry altered and every hash behind it made anew: only a checkpoint tells."""
    entries = [line for line in lines if line["line"] == "entry"]
    chain = [line for line in entries if line["number"] == entries[-1]["number"]]
    chain[1]["actor_role"] = "family"
    head = chain[0]["hash"]
    for line in chain[1:]:
        line["previous"], line["hash"] = head, proof.entry_hash(head, line)
        head = line["hash"]


def shortened(lines: list[dict[str, Any]]) -> None:
    """The chain ends two entries earlier."""
    for _ in range(2):
        without("entry")(lines)


def resigned(lines: list[dict[str, Any]]) -> None:
    """The last checkpoint says the same, with the signature of another key."""
    found = [line for line in lines if line["line"] == "checkpoint"][-1]
    told = proof.opened(found["statement"], proof.CHECKPOINT, KEYS)
    assert told is not None
    found["statement"] = THEIRS.statement(proof.CHECKPOINT, told)


CHANGES: dict[str, Callable[[list[dict[str, Any]]], None]] = {
    "time": altered("entry", "at", "2025-11-07T00:00:00+00:00"),
    "kind": altered("entry", "type", "case.noted"),
    "role": altered("entry", "actor_role", "family"),
    "department": altered("entry", "actor_department", "bank"),
    "content": altered("entry", "content", "f" * 64),
    "body": altered("entry", "body", "{}"),
    "hash": altered("entry", "hash", "f" * 64),
    "previous": altered("entry", "previous", "f" * 64),
    "an entry less": without("entry", 2),
    "the first entry less": without("entry", 0),
    "two entries exchanged": swapped,
    "an entry twice": doubled("entry"),
    "hashes made anew": rehashed,
    "the end moved": shortened,
    "a message less": without("message"),
    "a message twice": doubled("message"),
    "a message's system": altered("message", "system", "bank"),
    "a checkpoint less": without("checkpoint", 1),
    "a checkpoint twice": doubled("checkpoint"),
    "a checkpoint signed with another key": resigned,
    "the end less": without("end"),
    "a head altered": altered("head", "head", "f" * 64),
}


@pytest.mark.parametrize("numbers", [False, True], ids=["everything", "a case"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_export_is_found_even_by_what_is_in_it(
    kept: World, change: Callable[[list[dict[str, Any]]], None], numbers: bool
) -> None:
    lines = [json.loads(line) for line in exported(kept, *((kept.number,) if numbers else ()), open=True)]
    assert inner(lines) == []
    change(lines)
    assert inner(lines) != []


@pytest.mark.parametrize("change", [without("head", 0), without("checkpoint", -1)], ids=["head", "last checkpoint"])
def test_a_whole_export_with_less_that_was_seen_is_not_the_one_that_was_signed(
    kept: World, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    lines = [json.loads(line) for line in exported(kept)]
    change(lines)
    raw = [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines]
    assert checked(raw) != []


def test_an_export_is_signed_by_nobody_else(kept: World) -> None:
    with kept.database.read() as tx:
        found = export.lines(tx, Wanted(), kept.now, THEIRS.public_key(), THEIRS.statement)
        lines = [line.encode() for line in found]
    assert checked(lines) != []
