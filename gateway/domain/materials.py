"""Files of materials (材料): what kind a file is by its content, and what is known of one that hangs on a case.

What a sender says of a file is believed only when the content agrees.  Nothing is ever unpacked: of a ZIP container
only the list of names at its end is read, and only a bounded part of it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

HEAD = 16
"""Bytes of a file's beginning that tell its kind."""
TAIL = 128 * 1024
"""Bytes of a file's end that are looked at."""
_END = struct.Struct("<4s4H2LH")
_NAME = struct.Struct("<4s6H3L5H2L")


class MaterialStatus(StrEnum):
    """病毒扫描情况."""

    NOT_SCANNED = "NOT_SCANNED"
    """未扫描: this platform has no scanner; open it with care."""
    WAITING = "WAITING"
    """待扫描: the scanner did not answer; it is served once it has."""
    CLEAN = "CLEAN"
    """未发现病毒."""
    INFECTED = "INFECTED"
    """含有病毒: its content was removed; it has to be handed in again."""


@dataclass(frozen=True, slots=True)
class AttachedMaterial:
    """One file that was handed in as a paper of a case."""

    id: str
    """Opaque; what it is downloaded by."""
    kind: str
    """Code of the policy's material list, or a kind of certificate."""
    upload: str
    """Where its content lies; empty in what a viewer sees who may not open it."""
    sha256: str
    """Of the content, 64 hex digits."""
    size: int
    """Bytes."""
    content_type: str
    status: MaterialStatus
    at: datetime
    """When it was attached."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that can be told by its content."""

    name: str
    """As settings and policies call it."""
    content_type: str
    """What it is served as."""
    is_it: Callable[[bytes, bytes], bool]
    """Told by the first ``HEAD`` and the last ``TAIL`` bytes."""
    aliases: tuple[str, ...] = ()
    """Other types by which senders call it."""


def _heic(head: bytes, tail: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc")


def _ofd(head: bytes, tail: bytes) -> bool:
    """A ZIP container with ``OFD.xml`` at its root (GB/T 33190)."""
    return head.startswith(b"PK\x03\x04") and b"OFD.xml" in _names(tail)


KINDS = {
    kind.name: kind
    for kind in (
        FileKind("pdf", "application/pdf", lambda head, tail: head.startswith(b"%PDF-")),
        FileKind("jpeg", "image/jpeg", lambda head, tail: head.startswith(b"\xff\xd8\xff"), ("image/jpg",)),
        FileKind("png", "image/png", lambda head, tail: head.startswith(b"\x89PNG\r\n\x1a\n")),
        FileKind("heic", "image/heic", _heic, ("image/heif",)),
        FileKind("ofd", "application/ofd", _ofd, ("application/vnd.ofd",)),
    )
}
"""By name."""


def declared_kind(content_type: str) -> FileKind | None:
    """What a sender says it is; None: nothing known here."""
    said = content_type.partition(";")[0].strip().lower()
    return next((kind for kind in KINDS.values() if said in (kind.content_type, *kind.aliases)), None)


def _names(tail: bytes) -> Iterator[bytes]:
    """Names in a ZIP container, read from the list at its end; nothing where that is not whole in ``tail``."""
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        return
    _, _, _, _, count, size, _, _ = _END.unpack_from(tail, at)
    at -= size
    for _ in range(count):
        if at < 0 or at + _NAME.size > len(tail):
            return
        signature, *_, name, extra, comment, _, _, _, _ = _NAME.unpack_from(tail, at)
        if signature != b"PK\x01\x02":
            return
        at += _NAME.size
        yield tail[at : at + name]
        at += name + extra + comment
