"""Which requirement ids the collected tests prove: a pytest plugin, and what reads its answer.

``@pytest.mark.rule("HZ-607")`` on a test, a class, a parameter or a module says that it proves the row.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

VARIABLE = "RULES_OF_TESTS"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Writes id → tests to the file the variable names."""
    found: dict[str, set[str]] = {}
    for item in session.items:
        test = item.nodeid.partition("[")[0]
        for mark in item.iter_markers("rule"):
            for rule in mark.args:
                found.setdefault(rule, set()).add(test)
    Path(os.environ[VARIABLE]).write_text(json.dumps({rule: sorted(tests) for rule, tests in found.items()}))


def collect(root: Path) -> dict[str, list[str]]:
    """Id → tests (``tests/…::name``) of the whole suite, as pytest itself collects it."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "rules.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "tests.rules"]
        command += ["-p", "no:cacheprovider"]
        environment = {**os.environ, VARIABLE: str(answer)}
        for name in [name for name in environment if name.startswith("PYTEST_XDIST")]:
            del environment[name]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
        if not answer.exists():
            raise RuntimeError(f"the tests could not be collected:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        found: dict[str, list[str]] = json.loads(answer.read_text())
        return found
