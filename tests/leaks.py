"""Nothing personal where it does not belong: what the persons of the tests are known by, and how it is looked for.

Looked through are logs and databases of every stage when it is stopped, the errors it answered with, and whatever a
test's processes printed or logged.  Any valid ID number counts, also one that a test made up while it ran.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from gateway.domain.identity import check_digit

ROOT = Path(__file__).resolve().parents[1]
_ID_NUMBER = re.compile(rb"(?<![0-9A-Za-z])([1-9][0-9]{16}[0-9X])(?![0-9A-Za-z])")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:1[3-9][0-9]{9}|[0-9]{16,19})(?![0-9A-Za-z])")
_OFFICE = re.compile("[员服证金统馆院县销诺籍人]$")
"""Ends of what is called by a name but is no person: 值班员, 殡仪馆."""
_NAME = re.compile(
    r'(?:"(?:name|holder)": |\b(?:name|holder)[=:] ?|(?:Deceased|Person)Form\()"?([一-鿿·]{2,4})"?[,)}\n]'
)


@cache
def known() -> tuple[bytes, ...]:
    """Phones, accounts and names of the persons that tests and demo speak of."""
    texts = [path.read_text(encoding="utf-8") for path in (*ROOT.glob("tests/**/*.py"), ROOT / "gateway/demo.yaml")]
    found = {number for text in texts for number in _NUMBER.findall(text)}
    names = {name for text in texts for name in _NAME.findall(text) if not _OFFICE.search(name)}
    return tuple(sorted(word.encode() for word in found | (names - _public())))


def _public() -> set[str]:
    """Words of the policies: roles, offices, places and items have names too."""
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("gateway/policy/data/**/*.yaml"))
    return set(re.findall("[一-鿿·]{2,4}", text))


def leaks(data: bytes) -> list[str]:
    """What of a person stands in these bytes, each shown with a mask."""
    valid = [found for found in _ID_NUMBER.findall(data) if check_digit(found[:17].decode()) == found[17:].decode()]
    return [f"{word.decode()[:1]}… ({len(word)} bytes)" for word in (*valid, *(k for k in known() if k in data))]


def in_files(files: Iterable[Path]) -> list[str]:
    return [f"{path.name}: {found}" for path in files for found in leaks(path.read_bytes())]
