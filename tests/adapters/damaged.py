"""Byte messages that arrive broken, whatever their format."""

from __future__ import annotations

from hypothesis import strategies as st


def damaged(whole: bytes) -> st.SearchStrategy[bytes]:
    """Noise, the message cut short, or the message with some bytes replaced."""
    cut = st.integers(0, len(whole)).map(lambda end: whole[:end])
    patch = st.tuples(st.integers(0, len(whole)), st.integers(0, 20), st.binary(max_size=20)).map(
        lambda hit: whole[: hit[0]] + hit[2] + whole[hit[0] + hit[1] :]
    )
    return st.binary() | cut | patch
