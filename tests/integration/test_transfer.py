"""From one gateway on SQLite to many on PostgreSQL: everything is there afterwards, and nothing is written twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.services import audit
from gateway.store import uploads
from gateway.store.session import Database
from gateway.store.transfer import LARGE_ROWS, NotEmpty, transfer
from tests.builders import World
from tests.integration.conftest import SEAL, sqlite


def test_every_case_with_its_ledger_is_on_the_other_database(
    tmp_path: Path, fresh_database: Callable[[str], str]
) -> None:
    source = sqlite(tmp_path)
    world = World(source)
    world.until_cremation()
    world.give_account()
    file = [bytes([part]) * 10 for part in range(LARGE_ROWS + 1)]
    with world.acting() as ctx:
        id = uploads.make_room(ctx.tx, "person-lijuan", world.now)
        uploads.add(ctx.tx, id, 0, [uploads.sealed(SEAL, id, part, plain) for part, plain in enumerate(file)])
    target = Database(fresh_database("postgresql"), SEAL)
    target.migrate()
    copied = dict(transfer(source, target))
    moved = World(target)
    moved.number = world.number
    assert moved.case() == world.case() and copied["ledger"] == world.case().revision
    with moved.acting() as ctx:
        assert audit.faults(ctx, moved.number) == []
    with target.read() as tx:
        assert [uploads.part(tx, id, part) for part in range(len(file))] == file
    moved.at("2025-11-11 10:00").complete("hukou-deregistration")
    assert moved.status("hukou-deregistration") == "COMPLETED"
    with pytest.raises(NotEmpty):
        list(transfer(source, target))
    source.dispose()
    target.dispose()
