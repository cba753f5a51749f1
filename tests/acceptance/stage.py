"""The real thing for the acceptance tests: gateway and departments as processes, spoken to over sockets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.kit.registry import Manifest, manifests, sources
from gateway import settings
from gateway.access.local_issuer import LocalIssuer
from tests.adapters.conftest import Counter, address_of, free_pair
from tests.leaks import in_files, leaks

PATIENCE_S = 60.0


@dataclass
class Stage:
    """A gateway process, and the department processes it was given."""

    folder: Path
    port: int = 0
    gateway: subprocess.Popen[bytes] | None = None
    ports: dict[str, int] = field(default_factory=dict)
    departments: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    """Errors that were answered."""

    # ── processes ───────────────────────────────────────────────────────────────────────────────────────

    def start_gateway(self, clock: str | None = None) -> None:
        self.port = self.port or free_pair()
        command = [sys.executable, "-m", "gateway", "serve", "--port", str(self.port)]
        command += ["--clock", clock] if clock else []
        log = (self.folder / "gateway.log").open("ab")
        self.gateway = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        _answers(f"{self.url}/healthz", self.gateway)

    def start_departments(self, *codes: str, auto: float | None = None) -> None:
        """All at once; returns when all answer."""
        for code in codes:
            self.start_department(code, auto, wait=False)
        for code in codes:
            _answers(f"http://127.0.0.1:{self.ports[code] + 1}/office", self.departments[code])

    def start_department(self, code: str, auto: float | None = None, callback: bool = True, wait: bool = True) -> None:
        known: Manifest = {**manifests(), **sources()}[code]
        port = self.ports.setdefault(code, free_pair())
        data = self.folder / "departments"
        command = [sys.executable, "-m", "mocks", "serve-at", code, str(port), str(port + 1), "--data", str(data)]
        command += ["--auto", str(auto)] if auto is not None else []
        environment = dict(os.environ)
        if callback and known.answers == "callback":
            environment["MOCKS_CALLBACK_TOKEN"] = self.token("department-system", department=code, area="000000")
            command += ["--callback-url", f"{self.url}/departments/{code}/messages"]
        quiet = subprocess.DEVNULL
        self.departments[code] = subprocess.Popen(command, env=environment, stdout=quiet, stderr=quiet)
        self.variables[known.address_variable] = address_of(known, port, data)
        self.variables[known.address_variable.removesuffix("URL") + "SECRET"] = "demo"
        if wait:
            _answers(f"http://127.0.0.1:{port + 1}/office", self.departments[code])

    def kill_gateway(self) -> None:
        """Power loss: nothing is told to the process."""
        assert self.gateway is not None
        self.gateway.send_signal(signal.SIGKILL)
        self.gateway.wait()

    def stop(self) -> None:
        running = [p for p in (self.gateway, *self.departments.values()) if p is not None and p.poll() is None]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        self.must_keep_quiet()

    def must_keep_quiet(self) -> None:
        """Nothing personal stands in logs, databases and errors, whatever the test was about (PD-15)."""
        found = in_files(path for path in self.folder.iterdir() if path.is_file() and path.suffix != ".json")
        found += [f"error: {leak}" for text in self.told for leak in leaks(text.encode())]
        assert found == []

    @property
    def environment(self) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("SHENHOU_")}
        return {**plain, **self.variables, "SHENHOU_DATA_DIR": str(self.folder)}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "gateway.log").read_text(encoding="utf-8", errors="replace")

    def counter(self, code: str) -> Counter:
        return Counter(f"http://127.0.0.1:{self.ports[code] + 1}/office")

    # ── speaking ────────────────────────────────────────────────────────────────────────────────────────

    def token(self, role: str, *, area: str = "330500", **claims: str) -> str:
        read = settings.read(self.environment, (*manifests(), *sources()))
        subject = f"{role}:{claims.get('department', '')}:{claims.get('id_number', '')}"
        issuer = LocalIssuer.from_seed(read.issuer_seed, read.local_issuer_url)
        return issuer.issue({"sub": subject, "role": role, "area": area, **claims})

    def post(self, body: bytes, token: str | None = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(f"{self.url}/graphql", data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found = json.load(answer)
                if "errors" in found:
                    self.told.append(json.dumps(found["errors"], ensure_ascii=False))
                return answer.status, found
        except urllib.error.HTTPError as error:
            body = error.read()
            self.told.append(body.decode(errors="replace"))
            return error.code, body

    def ask(self, token: str, query: str, **variables: Any) -> Any:
        """The data of one operation; fails loudly when the operation has errors."""
        status, body = self.post(json.dumps({"query": query, "variables": variables}).encode(), token)
        assert status == 200, (status, body)
        assert "errors" not in body, body["errors"]
        return body["data"]

    def errors(self, token: str | None, query: str, **variables: Any) -> list[dict[str, Any]]:
        """The errors of one operation that has to have some."""
        status, body = self.post(json.dumps({"query": query, "variables": variables}).encode(), token)
        assert status in (200, 400, 401), (status, body)
        return list((body if status == 200 else json.loads(body))["errors"])

    def do(self, token: str, mutation: str, answer: str, **input_: Any) -> Any:
        """One mutation with its input; returns its payload."""
        kind = mutation[0].upper() + mutation[1:] + "Input"
        asked = f"{answer} userErrors {{ code message path requirementIds }}"
        query = f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {asked} }} }}"
        return self.ask(token, query, input=input_)[mutation]

    def move_clock(self, token: str, to: str) -> None:
        query = "mutation($i: MoveSandboxClockInput!) { moveSandboxClock(input: $i) { now } }"
        self.ask(token, query, i={"to": to})


def eventually(look: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """The first true value of ``look``; fails after ``patience_s`` seconds."""
    until = time.monotonic() + patience_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < until, "it did not become true in time"
        time.sleep(0.1)


def _answers(url: str, process: subprocess.Popen[bytes]) -> None:
    def look() -> bool:
        assert process.poll() is None, f"the process behind {url} ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    eventually(look)


def form(**changes: Any) -> dict[str, Any]:
    """The form of AS-14: 沈福根, at home, reported by an assistant."""
    plain: dict[str, Any] = {
        "jurisdiction": "hz",
        "flow": "OUTSIDE",
        "channel": "STAFF_APP",
        "deceased": {"name": "沈福根", "idNumber": "330502193910109559", "sex": "MALE", "hukouArea": "330502"},
        "death": {"occurredAt": "2025-11-07T20:00:00+08:00", "area": "330502", "place": "家中", "cause": "心力衰竭"},
        "applicant": {
            "name": "沈丽娟",
            "idNumber": "330502196607189625",
            "phone": "13857201234",
            "relation": "CHILD",
        },
        "account": {"holder": "沈丽娟", "number": "6222021205001234567"},
        "situations": [
            {"code": code, "holds": True}
            for code in ("PENSION_RETIREE", "MEDICAL_EMPLOYEE", "HOUSING_FUND", "KEY_PREFERENTIAL")
        ],
    }
    return {**plain, **changes}
