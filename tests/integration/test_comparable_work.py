"""What is not the viewer's costs what a case that does not exist costs: time tells nobody anything (PD-15)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from gateway import settings
from gateway.access.rights import Viewer
from gateway.desk import Desk
from gateway.main import create
from gateway.store.seal import Seal
from tests.builders import World, hz_form

NOBODYS = "HZ2025110799999"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = create(settings.read({"SHENHOU_DATA_DIR": str(tmp_path)}), {}, {}).desk
    made.database.migrate()
    return made


@pytest.mark.rule("PD-15", "HZ-816")
@pytest.mark.parametrize(
    "viewer",
    [
        Viewer("family", "000000", "", "a stranger"),
        Viewer("window-clerk", "430621", "", "clerk"),
        Viewer("specialist", "330500", "", "fund", "housing-fund"),
        Viewer("department-system", "430621", "", "health", "health"),
    ],
    ids=lambda viewer: f"{viewer.role} {viewer.area}",
)
def test_of_a_case_that_is_not_the_viewers_nothing_is_opened(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, viewer: Viewer
) -> None:
    number = World(desk.database).submit(hz_form()).number
    opened: list[str] = []
    plain = Seal.open

    def counted(self: Seal, sealed: bytes, name: str) -> bytes:
        opened.append(name)
        return plain(self, sealed, name)

    monkeypatch.setattr(Seal, "open", counted)
    statements: list[str] = []

    @event.listens_for(desk.database.engine, "before_cursor_execute")
    def _said(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    def work(asked: str) -> list[str]:
        statements.clear()
        with desk.database.read() as tx:
            assert desk.visible(tx, viewer, [asked]) == {}
        return list(statements)

    assert work(number) == work(NOBODYS)
    assert opened == []
    with desk.database.read() as tx:
        assert desk.visible(tx, Viewer("duty-person", "330500", "", "duty"), [number]), "it is there"
    assert opened == [f"case:{number}"]
