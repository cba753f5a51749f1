"""What proves the history: hashes, chains, signed checkpoints, and the check of an export without the gateway.

This file needs Python and ``cryptography`` and nothing else of this project, so that an auditor can take it alone:
``python proof.py export.jsonl key.json``.  What is exported is described in ``docs/evidence.md``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

START = "0" * 64
"""What stands before the first of a chain."""
CHECKPOINT, EXPORT = "shenhou-checkpoint", "shenhou-export"
VERSION = 1
MESSAGE = "message:"
"""Begins the number of the chain of a message."""
ACCESS = "access:"
"""Begins the number of the chain of the accesses to a case."""
ENTRY = ("number", "seq", "at", "type", "actor_role", "actor_department", "content")
_BYTES = ("request_size", "request_sha256", "answer_size", "answer_sha256")
PART = ("part", "state", "at", "finished_at", "code", *_BYTES)


# ── hashes ──────────────────────────────────────────────────────────────────────────────────────────────


def digest(parts: Sequence[object]) -> str:
    """SHA-256 in hex over the JSON array of the parts, in ASCII, without spaces."""
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()


def commitment(salt: bytes, body: bytes) -> str:
    """What stands for a body: tells nothing of it without the salt, and fits no other body."""
    return hashlib.sha256(salt + body).hexdigest()


def entry_hash(previous: str, entry: Mapping[str, Any], body: bytes | None = None) -> str | None:
    """Hash of a ledger entry behind the one whose hash is ``previous``; ``at`` is ISO 8601 in UTC.

    Release 0.1 had no ``content``: such an entry is hashed with its body, and None without it.
    """
    if entry["content"] is not None:
        return digest([previous, *(entry[name] for name in ENTRY)])
    if body is None:
        return None
    facts = [previous, *(entry[name] or "" for name in ENTRY[:-1])]
    return hashlib.sha256("".join(f"{fact}\n" for fact in facts).encode() + body).hexdigest()


def message_heads(message: Mapping[str, Any]) -> list[str]:
    """Heads of the chain of a message: when it was begun, and when it was finished."""
    parts = message["parts"]
    known = parts[0]["request_sha256"] if message["direction"] == "INWARD" else None
    facts = [message[name] for name in ("id", "direction", "system", "kind", "key")]
    heads = [digest([*facts, parts[0]["at"], known])]
    if parts[0]["state"] != "BEGUN":
        heads.append(digest([heads[0], [[part[name] for name in PART] for part in parts]]))
    return heads


# ── one root over many heads ────────────────────────────────────────────────────────────────────────────


def leaf(number: str, revision: int, head: str) -> bytes:
    return hashlib.sha256(b"\0" + f"{number}\n{revision}\n{head}".encode()).digest()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The hash tree from the leaves up to its root; a node without a partner goes up as it is."""
    found = [list(leaves)]
    while len(found[-1]) > 1:
        below = found[-1]
        found.append([_node(*below[place : place + 2]) for place in range(0, len(below), 2)])
    return found


def path(tree: Sequence[Sequence[bytes]], place: int) -> list[list[str]]:
    """The way from a leaf to the root: the side on which the partner stands, and its hash."""
    steps = []
    for level in tree[:-1]:
        if place ^ 1 < len(level):
            steps.append(["left" if place & 1 else "right", level[place ^ 1].hex()])
        place >>= 1
    return steps


def climb(start: bytes, steps: Iterable[Sequence[str]]) -> str:
    """The root a way leads to."""
    for side, partner in steps:
        pair = (bytes.fromhex(partner), start) if side == "left" else (start, bytes.fromhex(partner))
        start = _node(*pair)
    return start.hex()


def _node(left: bytes, right: bytes | None = None) -> bytes:
    return left if right is None else hashlib.sha256(b"\1" + left + right).digest()


# ── signatures ──────────────────────────────────────────────────────────────────────────────────────────


def fingerprint(key: Mapping[str, str]) -> str:
    """Of a public key as a JWK: by this two people compare it."""
    return hashlib.sha256(_bytes(key["x"])).hexdigest()[:32]


def opened(statement: str, kind: str, keys: Sequence[Mapping[str, str]]) -> dict[str, Any] | None:
    """What was signed (compact JWS, Ed25519) with one of the keys; None for anything else."""
    try:
        head, payload, signature = statement.split(".")
        if json.loads(_bytes(head)).get("typ") != kind:
            return None
        for key in keys:
            try:
                public = Ed25519PublicKey.from_public_bytes(_bytes(key["x"]))
                public.verify(_bytes(signature), f"{head}.{payload}".encode())
            except InvalidSignature:
                continue
            return dict(json.loads(_bytes(payload)))
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    return None


def _bytes(text: str) -> bytes:
    found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != text:
        raise ValueError("not the one way to write these bytes")
    return found


# ── an export ───────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Check:
    """Goes through an export once.  ``faults``: what is wrong; ``counts``: lines seen, by kind."""

    keys: Sequence[Mapping[str, str]]
    faults: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    whole: bool = True
    from_start: bool = True
    checkpoint: tuple[int, str] = (0, START)
    unproved: int = 0
    """Entries of release 0.1 without their bodies: what stands beside the hash is proved by the signature alone."""
    _told: dict[str, Any] = field(default_factory=dict)
    _leaves: list[bytes] = field(default_factory=list)
    _expected: dict[tuple[str, int], str] = field(default_factory=dict)
    _last: dict[str, tuple[int, str]] = field(default_factory=dict)
    _anchored: dict[str, int] = field(default_factory=dict)

    def line(self, found: dict[str, Any]) -> None:
        kind = found["line"]
        takes = {"checkpoint": self._checkpoint, "head": self._head, "entry": self._entry, "message": self._message}
        takes[kind](found)
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def _checkpoint(self, found: dict[str, Any]) -> None:
        self._close_checkpoint()
        seq, before = found["seq"], self.checkpoint
        told = opened(found["statement"], CHECKPOINT, self.keys)
        if told is None or told["seq"] != seq:
            self.faults.append(f"checkpoint {seq} is not signed with the key")
        elif seq <= before[0] or (self.whole and seq != before[0] + 1):
            self.faults.append(f"checkpoint {before[0] + 1} is missing")
        elif seq == before[0] + 1 and told["previous"] != before[1]:
            self.faults.append(f"checkpoint {seq} does not follow from the one before it")
        self.checkpoint, self._told = (seq, hashlib.sha256(found["statement"].encode()).hexdigest()), told or {}

    def _head(self, found: dict[str, Any]) -> None:
        """Stands behind its checkpoint: in a whole export all of them, else with its way to the root."""
        number, revision, head = found["number"], found["revision"], found["head"]
        place = leaf(number, revision, head)
        self._leaves.append(place)
        if not self.whole and climb(place, found["path"]) != self._told.get("root"):
            self.faults.append(f"{number}: checkpoint {self.checkpoint[0]} does not say so of {revision}")
        self._expected[number, revision] = head

    def _close_checkpoint(self) -> None:
        if self.whole and self._told:
            root = levels(self._leaves)[-1][0].hex() if self._leaves else ""
            if (len(self._leaves), root) != (self._told["heads"], self._told["root"]):
                self.faults.append(f"checkpoint {self.checkpoint[0]} had other heads")
        self._leaves, self._told = [], {}

    def _entry(self, found: dict[str, Any]) -> None:
        number, seq = found["number"], found["seq"]
        before = self._last.get(number)
        if before is None and self.from_start:
            before = (0, START)
        if before is not None and seq != before[0] + 1:
            self.faults.append(f"{number}: entry {before[0] + 1} is missing")
        elif before is not None and found["previous"] != before[1]:
            self.faults.append(f"{number}: entry {seq} does not follow from the one before it")
        body = found["body"].encode() if "body" in found else None
        known = entry_hash(found["previous"], found, body)
        if known is None:
            self.unproved += 1
        elif known != found["hash"]:
            self.faults.append(f"{number}: entry {seq} was altered")
        content = found["content"]
        if body is not None and content is not None and commitment(bytes.fromhex(found["salt"]), body) != content:
            self.faults.append(f"{number}: the body of entry {seq} was altered")
        self._compare(number, seq, found["hash"])

    def _message(self, found: dict[str, Any]) -> None:
        number = MESSAGE + found["id"]
        if number in self._last:
            self.faults.append(f"{number} is there twice")
        for revision, head in enumerate(message_heads(found), start=1):
            self._compare(number, revision, head)

    def _compare(self, number: str, revision: int, head: str) -> None:
        self._last[number] = (revision, head)
        expected = self._expected.pop((number, revision), None)
        if expected is not None:
            self._anchored[number] = revision
            if expected != head:
                self.faults.append(f"{number}: {revision} was altered after a checkpoint had seen it")

    def close(self) -> None:
        self._close_checkpoint()
        for number, revision in self._expected:
            self.faults.append(f"{number}: {revision} is missing, a checkpoint has seen it")

    @property
    def waiting(self) -> int:
        """Chains whose last entries no checkpoint has seen yet: only the export's own signature stands for them."""
        return sum(revision > self._anchored.get(number, 0) for number, (revision, _) in self._last.items())


def check(lines: Iterable[bytes], keys: Sequence[Mapping[str, str]] = ()) -> tuple[Check, dict[str, str]]:
    """Checks an export.  Without ``keys`` the key in it is used, and compared by nobody.  Returns the key used, too."""
    found = Check(keys)
    key: dict[str, str] = {}
    running, number, ended = hashlib.sha256(), 0, False
    for number, raw in enumerate(lines, start=1):
        try:
            parsed = json.loads(raw)
            if ended:
                raise ValueError("something stands behind the end")
            if number == 1:
                if parsed["line"] != "export" or parsed["version"] != VERSION:
                    raise ValueError("not an export of this version")
                key, found.whole = parsed["key"], parsed["whole"] is True
                found.from_start = parsed["from_start"] is True
                found.keys = keys or [key]
            elif parsed["line"] == "end":
                ended = True
                told = opened(parsed["statement"], EXPORT, found.keys)
                if told != {"lines": number - 1, "sha256": running.hexdigest()}:
                    found.faults.append("the file is not as it was exported, or not signed with the key")
            else:
                found.line(parsed)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            found.faults.append(f"line {number} cannot be read ({type(error).__name__})")
        running.update(raw)
    found.close()
    if not ended:
        found.faults.append("the file was cut off: its end is missing")
    return found, key


def main(arguments: Sequence[str]) -> int:
    """``proof.py EXPORT [KEY…]``.  Returns 0 when nothing is wrong."""
    keys = [json.loads(Path(name).read_text()) for name in arguments[1:]]
    with Path(arguments[0]).open("rb") as lines:
        found, key = check(lines, keys)
    for fault in found.faults:
        print(fault)
    for line in summary(found, key, bool(keys)):
        print(line)
    return 1 if found.faults else 0


def summary(found: Check, key: Mapping[str, str], given: bool) -> list[str]:
    """What was checked, in words."""
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(found.counts.items()))
    lines = [f"{counted or 'nothing'} checked, {len(found.faults)} faults"]
    if found.waiting:
        lines.append(f"{found.waiting} chains end behind the last checkpoint that knows them")
    if found.unproved:
        lines.append(f"{found.unproved} entries of release 0.1 can be checked only in an export with bodies")
    if found.checkpoint[0]:
        lines.append(f"last checkpoint: {found.checkpoint[0]}:{found.checkpoint[1]}")
    if not given:
        mark = fingerprint(key) if key else "none"
        lines.append(f"checked with the key in the file itself: compare its fingerprint {mark}")
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
