"""Finds the departments, and the sources of shared data: every folder of ``adapters`` with a ``manifest.yaml``.

A new department or source is one new folder: ``manifest.yaml`` beside an ``adapter.py`` whose
``connect(address, timeout_s, credentials)`` returns the adapter.  Nothing here, or anywhere else, is edited for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import plain_yaml

FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder declares of itself."""

    code: str
    """Slug of the department or source, the same in policy files, tokens and settings."""
    package: str
    """Python package of the folder, e.g. ``adapters.housing_fund``."""
    interface: str
    """One line on the interface it wraps: name, transport, format, encoding."""
    kind: str
    """``department``: it is pushed to (port ``Department``).  ``source``: it is only asked (``EvidenceSource``)."""
    submits: tuple[str, ...]
    """Item slugs it can take; none for a source."""
    answers: str
    """``callback``: it sends results of its own accord.  ``poll``: it must be asked, as every source."""
    takes_instructions: bool
    """Whether it can be told the account a sum is to be paid to after it approved it."""
    timeout_s: float
    """Longest wait for one call of durable work (submit, instruct, poll), in seconds."""
    read_timeout_s: float
    """Longest wait for a live record inside a query, in seconds."""
    poll_s: float
    """Seconds between two polls of open applications, or of persons a case waits for."""
    demo_address: str
    """Its address when the mock runs on loopback; ``{port}`` and ``{data}`` are filled in."""
    concurrency: int
    """Calls of durable work that may run at once against it, over all gateways; a source has no such work."""
    rate_per_s: float | None
    """Calls of durable work it takes per second, over all gateways; None: as many as its concurrency allows."""

    @property
    def address_variable(self) -> str:
        """Environment variable of its address, e.g. ``SHENHOU_HOUSING_FUND_URL``."""
        return f"SHENHOU_{self.code.upper().replace('-', '_')}_URL"


def manifests(folder: Path = FOLDER) -> dict[str, Manifest]:
    """Manifests of every department, by code.  Raises ValueError naming the file of a bad one."""
    return {code: manifest for code, manifest in _all(folder).items() if manifest.kind == "department"}


def sources(folder: Path = FOLDER) -> dict[str, Manifest]:
    """Manifests of every source of shared data, by code.  Raises as ``manifests``."""
    return {code: manifest for code, manifest in _all(folder).items() if manifest.kind == "source"}


def connect(manifest: Manifest, address: str, credentials: Mapping[str, str]) -> Any:
    """The adapter at its address, a ``Department`` or an ``EvidenceSource``; opens no connection yet.

    ``credentials``: what the deployment set for it, by lower-case name (``token``, ``user``, ``secret``).
    """
    module = importlib.import_module(f"{manifest.package}.adapter")
    return module.connect(address, manifest.timeout_s, credentials)


def _all(folder: Path) -> dict[str, Manifest]:
    found: dict[str, Manifest] = {}
    for path in sorted(folder.glob("*/manifest.yaml")):
        data = plain_yaml.read(path.read_text(encoding="utf-8"))
        try:
            source = data.get("kind") == "source"
            manifest = Manifest(
                code=data["code"],
                package=f"adapters.{path.parent.name}",
                interface=data["interface"],
                kind=data.get("kind", "department"),
                submits=() if source else tuple(data["submits"]),
                answers="poll" if source else data["answers"],
                takes_instructions=bool(data.get("takes_instructions", False)),
                timeout_s=float(data["timeout_s"]),
                read_timeout_s=float(data["read_timeout_s"]),
                poll_s=float(data["poll_s"]),
                demo_address=data["demo_address"],
                concurrency=int(data.get("concurrency", 1) if source else data["concurrency"]),
                rate_per_s=float(data["rate_per_s"]) if "rate_per_s" in data else None,
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: {error!r} in the manifest") from error
        if manifest.kind not in ("department", "source"):
            raise ValueError(f"{path}: kind must be department or source, not {manifest.kind!r}")
        if manifest.answers not in ("callback", "poll"):
            raise ValueError(f"{path}: answers must be callback or poll, not {manifest.answers!r}")
        if manifest.code in found:
            raise ValueError(f"{path}: {manifest.code!r} is declared twice")
        found[manifest.code] = manifest
    return found
