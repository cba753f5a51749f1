"""Finds the departments: every folder of ``adapters`` with a ``manifest.yaml`` is one.

A new department is one new folder: ``manifest.yaml`` beside an ``adapter.py`` whose ``connect(channel)``
returns the adapter.  Nothing here, or anywhere else, is edited for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from gateway.domain.department import Department

FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a department's folder declares of itself."""

    code: str
    """Department slug, the same in policy files, tokens and settings."""
    package: str
    """Python package of the folder, e.g. ``adapters.housing_fund``."""
    interface: str
    """One line on the interface it wraps: name, transport, format, encoding."""
    submits: tuple[str, ...]
    """Item slugs it can take."""
    answers: str
    """``callback``: it sends results of its own accord.  ``poll``: it must be asked."""
    takes_instructions: bool
    """Whether it can be told the account a sum is to be paid to after it approved it."""
    timeout_s: float
    """Longest wait for one call of durable work (submit, instruct, poll), in seconds."""
    read_timeout_s: float
    """Longest wait for a live record inside a query, in seconds."""
    poll_s: float
    """Seconds between two polls of open applications."""
    demo_address: str
    """Its address when the mock runs on loopback; ``{port}`` and ``{data}`` are filled in."""
    concurrency: int
    """Calls of durable work that may run at once against it, over all gateways."""

    @property
    def address_variable(self) -> str:
        """Environment variable of its address, e.g. ``SHENHOU_HOUSING_FUND_URL``."""
        return f"SHENHOU_{self.code.upper().replace('-', '_')}_URL"


def manifests(folder: Path = FOLDER) -> dict[str, Manifest]:
    """Manifests of every department folder, by code.  Raises ValueError naming the file of a bad one."""
    found: dict[str, Manifest] = {}
    for path in sorted(folder.glob("*/manifest.yaml")):
        data = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        try:
            manifest = Manifest(
                code=data["code"],
                package=f"adapters.{path.parent.name}",
                interface=data["interface"],
                submits=tuple(data["submits"]),
                answers=data["answers"],
                takes_instructions=bool(data.get("takes_instructions", False)),
                timeout_s=float(data["timeout_s"]),
                read_timeout_s=float(data["read_timeout_s"]),
                poll_s=float(data["poll_s"]),
                demo_address=data["demo_address"],
                concurrency=int(data["concurrency"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: {error!r} in the department's manifest") from error
        if manifest.answers not in ("callback", "poll"):
            raise ValueError(f"{path}: answers must be callback or poll, not {manifest.answers!r}")
        if manifest.code in found:
            raise ValueError(f"{path}: department {manifest.code!r} is declared twice")
        found[manifest.code] = manifest
    return found


def connect(manifest: Manifest, address: str, credentials: Mapping[str, str]) -> Department:
    """The adapter of one department at its address; opens no connection yet.

    ``credentials``: what the deployment set for it, by lower-case name (``token``, ``user``, ``secret``).
    """
    module = importlib.import_module(f"{manifest.package}.adapter")
    return module.connect(address, manifest.timeout_s, credentials)
