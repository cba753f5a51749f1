"""The pages for people: served, safe, and speaking the schema that is published."""

from __future__ import annotations

import re

import httpx2
import pytest
from graphql import GraphQLEnumType, parse, validate
from starlette.applications import Starlette

from gateway.console.routes import FOLDER, routes
from gateway.web import Web
from schema.build import build

FILES = sorted(FOLDER.iterdir())


async def get(path: str) -> httpx2.Response:
    app = Web(Starlette(routes=routes()), secure=False)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


@pytest.mark.parametrize("path", ["/support", "/sandbox", *(f"/static/{file.name}" for file in FILES)])
async def test_pages_and_files_are_served_with_their_headers(path: str) -> None:
    answer = await get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


async def test_the_way_in_leads_to_the_support_page() -> None:
    answer = await get("/")
    assert answer.status_code == 307 and answer.headers["location"] == "/support"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(file: object) -> None:
    text = file.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert not re.search(
        r"https?://(?!www\.w3\.org/2000/svg)|<style|style=|\son\w+=|innerHTML|<script(?![^>]*src=)", text
    )


@pytest.mark.parametrize("name", [file.stem for file in FILES if file.suffix == ".graphql"])
def test_every_document_is_valid_against_the_published_schema(name: str) -> None:
    document = parse((FOLDER / f"{name}.graphql").read_text(encoding="utf-8"))
    assert validate(build()._schema, document) == []


@pytest.mark.parametrize(
    "words, enum",
    [
        ("CASE", "CaseStatus"),
        ("ITEM", "ItemStatus"),
        ("PAYOUT", "PayoutStatus"),
        ("REVERSAL", "ReversalStatus"),
        ("VERIFICATION", "VerificationOutcome"),
        ("ALERT", "AlertKind"),
        ("FRESHNESS", "Freshness"),
        ("LINK", "LinkState"),
        ("DEADLINE", "DeadlineState"),
        ("PHASE", "Phase"),
        ("KIND", "PersonalDataKind"),
        ("MATERIAL", "MaterialStatus"),
    ],
)
def test_the_page_has_a_word_for_every_value_it_can_be_sent(words: str, enum: str) -> None:
    told = re.search(rf"export const {words} = {{(.*?)}};", (FOLDER / "words.js").read_text(encoding="utf-8"), re.S)
    kind = build()._schema.type_map[enum]
    assert told is not None and isinstance(kind, GraphQLEnumType)
    assert set(re.findall(r"([A-Z_]+):", told[1])) == set(kind.values)
