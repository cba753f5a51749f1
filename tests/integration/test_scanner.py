"""The scanner: what it says of a file, and what comes of it when it says nothing."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway import settings
from gateway.main import create
from gateway.settings import BadSetting
from gateway.worker.scanner import Clamd, ScannerAway, scanner
from gateway.worker.scanning import Scanning
from mocks.kit.scanner import EICAR, Scanner
from tests.uploading import PDF, Stand, code, pieces

INFECTED = PDF + b"x" * 300_000 + EICAR


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
async def clamd() -> AsyncIterator[Scanner]:
    async with Scanner() as running:
        yield running


def stand_with(folder: Path, port: int, **more: str) -> tuple[Stand, Scanning]:
    made = Stand(folder, {"SHENHOU_SCANNER": f"clamd://127.0.0.1:{port}", **more})
    found = scanner(made.app.settings.uploads.scanner, made.app.settings.uploads.scanner_limit_s)
    return made, Scanning(made.app.desk, made.app.outward.engine, made.app.settings.uploads, found)


async def test_a_clean_file_is_taken_and_said_to_be_clean(tmp_path: Path, clamd: Scanner) -> None:
    stand, _ = stand_with(tmp_path, clamd.port)
    answer = await stand.upload(PDF)
    assert (answer.status_code, answer.json()["status"]) == (201, "CLEAN")
    assert clamd.seen == [len(PDF)], "it was shown all of it"


async def test_an_infected_file_is_refused_and_nothing_stays(
    tmp_path: Path, clamd: Scanner, caplog: pytest.LogCaptureFixture
) -> None:
    stand, scanning = stand_with(tmp_path, clamd.port)
    answer = await stand.upload(INFECTED)
    assert (answer.status_code, code(answer)) == (422, "UPLOAD_INFECTED")
    with stand.app.desk.database.read() as tx:
        assert tx.connection.exec_driver_sql("SELECT count(*) FROM uploads").scalar_one() == 0
    [record] = [record for record in caplog.records if record.message == "infected file refused"]
    assert vars(record)["role"] == "family" and "family" not in vars(record)["subject"], "who it was is a keyed index"
    assert await scanning.scan() == 0


async def test_what_is_handed_in_while_the_scanner_is_away_waits_and_is_not_served(
    tmp_path: Path, clamd: Scanner
) -> None:
    stand, away = stand_with(tmp_path, closed_port())
    number = stand.filed()
    assert (await stand.upload(PDF)).json()["status"] == "WAITING"
    await stand.attach(number, await stand.uploaded(PDF))
    await stand.attach(number, await stand.uploaded(INFECTED), "APPLICANT_ID_CARD")
    found = await stand.files(number)
    assert [(one["status"], one["url"]) for one in found] == [("WAITING", None), ("WAITING", None)]
    ids = list(stand.world.case(number).materials)
    answer = await stand.fetch(f"/materials/{ids[0]}")
    assert (answer.status_code, code(answer)) == (409, "MATERIAL_NOT_SCANNED")
    assert await away.scan() == 0, "still away"
    back = Scanning(away.desk, away.engine, away.settings, Clamd("127.0.0.1", clamd.port, "", 5))
    assert await back.scan() == 2
    clean, infected = await stand.files(number)
    assert (clean["status"], infected["status"], infected["url"]) == ("CLEAN", "INFECTED", None)
    assert (await stand.fetch(clean["url"])).content == PDF
    answer = await stand.fetch(f"/materials/{ids[1]}")
    assert (answer.status_code, code(answer)) == (422, "UPLOAD_INFECTED")
    asked = [(one["reason"]["code"], one["reason"]["message"]) for one in await stand.obstacles(number)]
    assert asked == [("PAPER_INFECTED", "“亲属居民身份证”的文件查出病毒，已经删除，请重新上传。")]
    kinds = [event.type for event in stand.world.ledger()]
    assert kinds.count("material.scanned") == 2
    assert stand.world.all_faults() == []
    assert (await stand.attach(number, await stand.uploaded(PDF)))["userErrors"] == [], "a clean one again"
    await stand.attach(number, await stand.uploaded(PDF), "APPLICANT_ID_CARD")
    assert await stand.obstacles(number) == [], "the paper is there"


async def test_one_that_no_case_names_and_turns_out_infected_is_gone(tmp_path: Path, clamd: Scanner) -> None:
    stand, away = stand_with(tmp_path, closed_port())
    upload = await stand.uploaded(INFECTED)
    back = Scanning(away.desk, away.engine, away.settings, Clamd("127.0.0.1", clamd.port, "", 5))
    assert await back.scan() == 1
    answer = await stand.attach(stand.filed(), upload)
    assert [error["code"] for error in answer["userErrors"]] == ["UPLOAD_NOT_FOUND"]


@pytest.mark.parametrize("trouble", [{"silent": True}, {"most": 10}])
async def test_a_scanner_that_gives_no_verdict_is_as_one_that_is_away(clamd: Scanner, trouble: dict[str, Any]) -> None:
    for name, value in trouble.items():
        setattr(clamd, name, value)
    with pytest.raises(ScannerAway):
        await Clamd("127.0.0.1", clamd.port, "", 0.3).scan(pieces(PDF, PDF))


async def test_the_test_string_is_found_wherever_the_pieces_break(clamd: Scanner) -> None:
    asked = Clamd("127.0.0.1", clamd.port, "", 5)
    assert await asked.scan(pieces(b"x" + EICAR[:20], EICAR[20:])) == "Eicar-Signature"
    assert await asked.scan(pieces(b"x" + EICAR[:20])) is None


@pytest.mark.parametrize(
    "address", ["clam.example:3310", "icap://host", "clamd://", "clamd://host/path", "clamd://h:x"]
)
def test_an_address_that_names_no_scanner_stops_the_start(tmp_path: Path, address: str) -> None:
    read = settings.read({"SHENHOU_DATA_DIR": str(tmp_path), "SHENHOU_SCANNER": address})
    with pytest.raises(BadSetting, match="SHENHOU_SCANNER"):
        create(read, {}, {})


def test_addresses_of_scanners() -> None:
    assert scanner("none", 1) is None and scanner("", 1) is None
    assert scanner("clamd://10.0.0.7:3311", 1) == Clamd("10.0.0.7", 3311, "", 1)
    assert scanner("clamd:///run/clamav/clamd.sock", 1) == Clamd("", 3310, "/run/clamav/clamd.sock", 1)
