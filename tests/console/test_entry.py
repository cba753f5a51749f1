"""The QR codes that lead into the application: where the policy wants one, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import httpx2
import pytest
from starlette.applications import Starlette

from gateway import settings
from gateway.console import entry
from gateway.policy import served
from gateway.settings import BadSetting
from gateway.web import Web
from tests.builders import book

PORTAL = "https://portal.example/apply?place={jurisdiction}&via={channel}"
SVG = "{http://www.w3.org/2000/svg}"


async def get(path: str, portal: str = PORTAL, on: date = date(2025, 11, 7)) -> httpx2.Response:
    app = Web(Starlette(routes=entry.routes(book(), portal, lambda: on)), secure=False)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


@pytest.mark.rule("HZ-1005", "HZ-202")
@pytest.mark.parametrize("channel", ["APP", "STAFF_APP"])
async def test_a_dedicated_code_leads_straight_into_the_application(channel: str) -> None:
    answer = await get(f"/entry/hz/{channel}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["x-content-type-options"] == "nosniff"
    drawn = ElementTree.fromstring(answer.content)
    assert drawn.findtext(f"{SVG}desc") == f"https://portal.example/apply?place=hz&via={channel}"
    assert drawn.findtext(f"{SVG}title") in ("湖州市 浙里办", "湖州市 浙政钉")
    assert [part.get("class") for part in drawn.iter(f"{SVG}path")] == [None, "qrline"]


@pytest.mark.rule("HZ-1005")
async def test_the_schema_tells_exactly_the_paths_that_answer() -> None:
    for policy in book().jurisdictions:
        on = policy.effective_from
        for channel in policy.channels:
            answer = await get(f"/entry/{policy.code}/{channel.code}", on=on)
            told = served.qr_path(policy, channel)
            assert (answer.status_code == 200) == (told is not None)
            assert told in (None, str(answer.url).removeprefix("http://test"))


@pytest.mark.rule("HZ-1005")
async def test_each_way_in_has_a_code_of_its_own() -> None:
    assert (await get("/entry/hz/APP")).content != (await get("/entry/hz/STAFF_APP")).content
    assert (await get("/entry/hz/APP")).content == (await get("/entry/hz/APP")).content


@pytest.mark.rule("HZ-1005")
@pytest.mark.parametrize(
    "path, portal, on",
    [
        ("/entry/hz/WINDOW", PORTAL, date(2025, 11, 7)),  # nobody scans a window
        ("/entry/hz/APP", "", date(2025, 11, 7)),  # no portal is set
        ("/entry/hz/APP", PORTAL, date(2019, 10, 14)),  # not in force yet
        ("/entry/xx/APP", PORTAL, date(2025, 11, 7)),
        ("/entry/ws/WEB", PORTAL, date(2025, 11, 7)),  # the document of 乌审旗 names none
    ],
)
async def test_where_the_policy_wants_none_there_is_none(path: str, portal: str, on: date) -> None:
    answer = await get(path, portal, on)
    assert answer.status_code == 404 and "二维码" in answer.text


def read(tmp_path: Path, **given: str) -> settings.Settings:
    environment: Mapping[str, str] = {"SHENHOU_DATA_DIR": str(tmp_path), **given}
    return settings.read(environment)


def test_the_address_of_the_portal_is_the_deployments(tmp_path: Path) -> None:
    assert read(tmp_path).portal_url == ""
    assert read(tmp_path, SHENHOU_PORTAL_URL=PORTAL).portal_url == PORTAL


@pytest.mark.parametrize(
    "wrong", ["portal.example", "http://portal.example/{jurisdiction}", "https://p/", "https://p/{x}"]
)
def test_an_address_that_leads_nowhere_stops_the_start(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(BadSetting, match="PORTAL_URL"):
        read(tmp_path, SHENHOU_PORTAL_URL=wrong)
