"""For a whole run: one PostgreSQL server, shared by its workers, started by the first test that needs it.

For every test: what it made its processes print or log is looked through for personal data (PD-15).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.leaks import leaks
from tests.postgres import NoServer, Server

FOLDER = "SHENHOU_TEST_PG_FOLDER"
own = pytest.StashKey[Server]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[own] = Server()
        os.environ[FOLDER] = str(config.stash[own].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if own in config.stash:
        config.stash[own].stop()


@pytest.fixture(scope="session")
def postgres() -> Server:
    """The running server; without one the test is skipped and says why."""
    server = Server(Path(os.environ[FOLDER]))
    try:
        server.start()
    except NoServer as reason:
        pytest.skip(str(reason))
    return server


@pytest.fixture
def fresh_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """``fresh_database("postgresql")``: URL of a new, empty database of that kind, as ``gateway serve`` takes it."""
    made: list[str] = []

    def fresh(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{uuid4().hex[:8]}.sqlite"
        made.append(f"test_{uuid4().hex[:12]}")
        return request.getfixturevalue("postgres").database(made[-1])

    yield fresh
    for name in made:
        request.getfixturevalue("postgres").drop(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    found = [f"{name}: {leak}" for name, text in report.sections for leak in leaks(text.encode(errors="replace"))]
    if found and report.passed:
        report.outcome = "failed"
        report.longrepr = "personal data were printed or logged: " + ", ".join(found)
    return report
