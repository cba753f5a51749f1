"""JSON messages that arrive broken: noise, cut short, or with one value or key replaced by anything."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "0", "00010101000000", "0001-01-01T00:00:00", "99999999999999", "1E+999999", "Infinity"])
    | st.sampled_from([10**400, -(10**18), 1e300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def garbled(sample: bytes) -> st.SearchStrategy[bytes]:
    """What may become of ``sample``, a UTF-8 JSON message, on a bad line or in a changed interface."""
    message = json.loads(sample)
    cut = st.integers(0, len(sample) - 1).map(lambda length: sample[:length])
    places = list(_places(message))
    changed = st.builds(
        lambda place, value: _replaced(message, place, value), st.sampled_from(places), st.just(_GONE) | ANYTHING
    )
    deep = st.sampled_from([b"[" * 200_000, b'{"a":' * 200_000])
    return st.binary() | cut | changed | ANYTHING.map(_written) | deep


_GONE = object()


def _places(node: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for name, child in inside for place in [(*way, name), *_places(child, (*way, name))]]


def _replaced(message: Any, place: tuple[str | int, ...], value: Any) -> bytes:
    changed = copy.deepcopy(message)
    node = changed
    for step in place[:-1]:
        node = node[step]
    if value is _GONE:
        del node[place[-1]]
    else:
        node[place[-1]] = value
    return _written(changed)


def _written(message: Any) -> bytes:
    return json.dumps(message).encode()
