"""Texts of errors in both languages."""

from __future__ import annotations

from gateway.domain.messages import Code, Reason


def test_a_list_is_written_as_each_language_writes_lists() -> None:
    reason = Reason(Code.UPLOAD_TYPE_NOT_ALLOWED, (), {"options": "PDF、JPEG"})
    assert "PDF、JPEG" in reason.zh()
    assert "PDF, JPEG" in reason.en() and "、" not in reason.en()
