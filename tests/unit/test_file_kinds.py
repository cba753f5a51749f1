"""Kinds of file, told by content."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.materials import HEAD, KINDS, TAIL, declared_kind
from gateway.policy.model.form import FileType
from tests.uploading import FILES, ofd, zipped


def kind_of(content: bytes) -> list[str]:
    return [kind.content_type for kind in KINDS.values() if kind.is_it(content[:HEAD], content[-TAIL:])]


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_of_one_kind(kind: str) -> None:
    assert kind_of(FILES[kind]) == [kind]


def test_photographs_of_phones_are_known_and_not_taken_unless_somebody_says_so() -> None:
    assert kind_of(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00") == ["image/heic"]
    assert kind_of(b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00") == []


def test_policies_and_settings_call_the_kinds_alike() -> None:
    assert set(get_args(FileType)) == set(KINDS)


@pytest.mark.parametrize(
    "said, kind",
    [
        ("application/pdf", "pdf"),
        ("IMAGE/JPG; x=1", "jpeg"),
        ("application/vnd.ofd", "ofd"),
        ("text/html", None),
        ("", None),
    ],
)
def test_what_a_sender_says(said: str, kind: str | None) -> None:
    found = declared_kind(said)
    assert (found.name if found else None) == kind


def test_an_ofd_document_has_its_root_among_very_many_names() -> None:
    many = {f"page{number}": b"" for number in range(1000)}
    assert kind_of(zipped(**many, OFD__xml=b"")) == ["application/ofd"]
    assert kind_of(zipped(**many)) == []


@given(st.integers(0, len(ofd()) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_container_is_some_kind_or_none_and_nothing_breaks(at: int, damage: bytes) -> None:
    whole = ofd()
    assert kind_of(whole[:at] + damage + whole[at + len(damage) :]) in ([], ["application/ofd"], ["application/pdf"])


@given(st.binary(max_size=200))
def test_no_bytes_break_it(content: bytes) -> None:
    assert len(kind_of(b"PK\x03\x04" + content + b"PK\x05\x06" + content)) <= 1
