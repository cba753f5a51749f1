"""Real department servers for the adapter tests: one process each, on free loopback ports."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.kit.registry import Manifest, connect, manifests, sources

READY_S = 60.0


@dataclass
class Counter:
    """The clerk's counter of one running department."""

    url: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def act(self, key: str, action: str, **options: Any) -> Any:
        return self.call("POST", f"/applications/{key}/{action}", options)

    def behave(self, **habits: Any) -> Any:
        return self.call("POST", "/habits", habits)

    def calls(self) -> dict[str, int]:
        """Wire calls seen, by operation."""
        return self.call("GET", "/calls")

    def applications(self) -> list[dict[str, Any]]:
        return self.call("GET", "/applications")


@dataclass
class Running:
    """A running department: its manifest, its address, an adapter factory and its counter."""

    manifest: Manifest
    address: str
    counter: Counter
    process: subprocess.Popen[bytes]

    def adapter(self, timeout_s: float = 5.0) -> Any:
        """A ``Department``, or an ``EvidenceSource`` where it is one."""
        from dataclasses import replace

        return connect(replace(self.manifest, timeout_s=timeout_s), self.address, {"token": "demo", "secret": "demo"})


def free_pair() -> int:
    """A port p such that p and p + 1 are free; below the range from which the system hands out its own."""
    while True:
        port = random.randrange(12_000, 30_000, 2)
        with socket.socket() as one, socket.socket() as two:
            try:
                one.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def address_of(manifest: Manifest, port: int, data: Path) -> str:
    """The manifest's ``demo_address`` with the port and the data folder filled in."""
    return manifest.demo_address.format(port=port, data=data)


@pytest.fixture(scope="session")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Running]]:
    """``department("health")`` starts that department once per session and returns it."""
    running: dict[str, Running] = {}

    def start(code: str) -> Running:
        if code not in running:
            data = tmp_path_factory.mktemp(code)
            port = free_pair()
            process = subprocess.Popen(
                [sys.executable, "-m", "mocks", "serve-at", code, str(port), str(port + 1), "--data", str(data)],
                stdout=subprocess.DEVNULL,
            )
            manifest = {**manifests(), **sources()}[code]
            counter = Counter(f"http://127.0.0.1:{port + 1}/office")
            until = time.monotonic() + READY_S
            while True:
                try:
                    counter.call("GET", "")
                    break
                except (urllib.error.URLError, OSError):
                    if time.monotonic() > until or process.poll() is not None:
                        raise
                    time.sleep(0.05)
            running[code] = Running(manifest, address_of(manifest, port, data), counter, process)
        running[code].counter.behave(
            slow=0, fail=0, drop=0, rubbish=0, late=0, half=0, garble=0, stray=False, refuse="", auto=None
        )
        running[code].counter.call("DELETE", "/calls")
        return running[code]

    yield start
    for item in running.values():
        item.process.terminate()
        item.process.wait(10)
