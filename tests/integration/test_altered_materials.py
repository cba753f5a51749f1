"""Files that were altered in the database: not served, and found by the verifier (PD-15)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from gateway.store import tables as t
from gateway.store import uploads
from gateway.store.uploads import PART
from tests.uploading import PDF, Stand, code


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Stand:
    return Stand(tmp_path_factory.mktemp("altered"))


async def test_content_that_was_altered_in_the_database_is_not_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stand = Stand(tmp_path)
    url = await stand.handed_in(stand.filed())
    other = await stand.uploaded(PDF + b"another", who="another family")
    with stand.app.desk.database.write() as tx:
        body = tx.connection.execute(select(t.upload_parts.c.body).where(t.upload_parts.c.id == other)).scalar_one()
        tx.connection.execute(update(t.upload_parts).where(t.upload_parts.c.id != other).values(body=body))
    answer = await stand.fetch(url)
    assert (answer.status_code, code(answer)) == (500, "INTERNAL")
    assert [record.levelname for record in caplog.records if record.message == "incident"] == ["ERROR"]


ATTACHED = select(t.materials.c.upload)
PART_OF = t.upload_parts.c.id.in_(ATTACHED)
TAMPERED: dict[str, Callable[[], Any]] = {
    "a part taken out": lambda: delete(t.upload_parts).where(PART_OF, t.upload_parts.c.part == 1),
    "all taken out": lambda: delete(t.upload_parts).where(PART_OF),
    "a part altered": lambda: update(t.upload_parts).where(PART_OF).values(body=b"x" * 40),
    "the file taken out": lambda: delete(t.uploads).where(t.uploads.c.id.in_(ATTACHED)),
    "still on its way": lambda: update(t.uploads).values(state=uploads.RECEIVING),
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
async def test_a_paper_that_was_altered_in_the_database_is_found_by_the_verifier(
    tmp_path: Path, tamper: Callable[[], Any]
) -> None:
    stand = Stand(tmp_path)
    number = stand.filed()
    await stand.handed_in(number, PDF + b"x" * 2 * PART)
    assert stand.world.faults(number) == []
    with stand.app.desk.database.write() as tx:
        tx.connection.execute(tamper())
    assert [fault for fault in stand.world.faults(number) if "the file" in fault]
