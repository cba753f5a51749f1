"""Stages of the acceptance tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.kit.registry import manifests, sources
from tests.acceptance.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A gateway of its own, with the sandbox's clock at the evening of AS-14; no department is connected."""
    made = Stage(tmp_path)
    made.start_gateway("2025-11-07T22:10:00+08:00")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def shared_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway that the tests of a module share; for tests that leave no case behind."""
    made = Stage(tmp_path_factory.mktemp("stage"))
    made.start_gateway("2025-11-07T22:10:00+08:00")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway with every department, whose clerks act by themselves, and every source of shared data."""
    made = Stage(tmp_path_factory.mktemp("town"))
    made.variables["SHENHOU_REPAIR_PAUSE_S"] = "0"  # its questions would be counted
    from tests.adapters.conftest import free_pair

    made.port = free_pair()
    made.start_departments(*manifests(), *sources(), auto=0.4)
    made.start_gateway()
    yield made
    made.stop()
