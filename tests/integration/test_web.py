"""What holds for every answer: no forging from other sites, headers, JSON also when something went wrong."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from gateway.access.entrance import Entrance
from gateway.settings import BadSetting
from gateway.store import incidents
from gateway.web import HEADERS, Web
from tests.edge import Edge, codes
from tests.leaks import leaks

PORTAL = "https://portal.example"
QUERY = {"query": "{ viewer { role } }"}
PATHS = {
    "query": ("POST", "/graphql"),
    "other method": ("DELETE", "/graphql"),
    "no such page": ("GET", "/no/such/page"),
    "no such file": ("GET", "/static/no.js"),
    "not this way": ("GET", "/departments/health/messages"),
    "page": ("GET", "/support"),
    "schema": ("GET", "/schema.graphql"),
    "document": ("GET", "/documents/hz/guide"),
    "no such document": ("GET", "/documents/xx/guide"),
    "a case's document": ("POST", "/documents/cases/summary"),
    "department": ("POST", "/departments/health/messages"),
    "health": ("GET", "/healthz"),
}


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Edge:
    return Edge(tmp_path_factory.mktemp("edge"), CORS_ORIGINS=f"{PORTAL},http://localhost:3000")


@pytest.mark.parametrize("method, path", PATHS.values(), ids=PATHS.keys())
async def test_every_answer_has_the_headers_and_no_cookie(edge: Edge, method: str, path: str) -> None:
    answer = await edge.send(QUERY, method=method, path=path)
    missing = [name for name in HEADERS if name not in answer.headers]
    assert missing == [] and "set-cookie" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff" and "no-store" in answer.headers["cache-control"]
    assert "strict-transport-security" not in answer.headers  # development speaks plain HTTP
    if answer.status_code >= 400:
        assert answer.json(), "an error is JSON"


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "text/plain; application/json",
        "application/json; charset=utf-16",
        "application/jsonp",
    ],
)
async def test_what_a_form_of_another_site_can_send_is_refused(edge: Edge, kind: str | None) -> None:
    answer = await edge.send(QUERY, kind=kind)
    assert (answer.status_code, codes(answer)) == (415, ["NOT_SERVED"])


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_an_operation_comes_by_post_only(edge: Edge, method: str) -> None:
    answer = await edge.send(b"", method=method, path="/graphql?query=%7B__typename%7D")
    assert (answer.status_code, answer.headers["allow"], codes(answer)) == (405, "POST", ["NOT_SERVED"])


async def test_a_cookie_opens_nothing(edge: Edge) -> None:
    answer = await edge.send(QUERY, role=None, cookie=f"token={edge.token('support')}")
    assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"])


async def test_pages_of_the_configured_origins_may_ask_and_no_others(edge: Edge) -> None:
    for origin in (PORTAL, "http://localhost:3000"):
        answer = await edge.send(QUERY, origin=origin)
        assert answer.headers["access-control-allow-origin"] == origin
        assert "access-control-allow-credentials" not in answer.headers
    for origin in ("https://evil.example", "null", f"{PORTAL}.evil.example", PORTAL.upper(), "http://portal.example"):
        assert "access-control-allow-origin" not in (await edge.send(QUERY, origin=origin)).headers


async def test_a_browser_asks_first_and_is_told(edge: Edge) -> None:
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "authorization,content-type"}
    told = await edge.send(b"", None, "OPTIONS", origin=PORTAL, **asked)
    assert told.status_code == 200 and "POST" in told.headers["access-control-allow-methods"]
    other = await edge.send(b"", None, "OPTIONS", origin="https://evil.example", **asked)
    assert other.status_code == 400 and "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("origin", ["*", "portal.example", "https://portal.example/", "https://*.example", "null"])
def test_an_origin_is_exact(origin: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(BadSetting, match="CORS_ORIGINS"):
        Edge(tmp_path_factory.mktemp("edge"), CORS_ORIGINS=origin)


async def test_without_origins_no_page_may_ask(tmp_path_factory: pytest.TempPathFactory) -> None:
    edge = Edge(tmp_path_factory.mktemp("edge"))
    answer = await edge.send(QUERY, origin=PORTAL)
    assert answer.status_code == 200 and "access-control-allow-origin" not in answer.headers


async def test_there_are_no_websockets(edge: Edge) -> None:
    sent = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, object]) -> None:
        sent.append(message["type"])

    for path in ("/graphql", "/"):
        scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "root_path": ""}
        await edge.application.asgi({**scope, "subprotocols": ["graphql-transport-ws"]}, receive, send)  # type: ignore
    assert sent == ["websocket.close", "websocket.close"]


async def kept(edge: Edge, incident: str) -> bool:
    """Whether support can look it up: at once, or when the gateway's own writing of it, under way, is over."""
    for _ in range(200):
        await edge.desk.write_journal()
        with edge.desk.database.read() as tx:
            if incidents.get(tx, incident) is not None:
                return True
        await asyncio.sleep(0.02)
    return False


async def test_a_fault_of_ours_is_an_incident_and_tells_nothing(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("330502193910109559 沈福根")

    monkeypatch.setattr(Entrance, "viewer", breaks)
    doors = ("/graphql", "/departments/health/messages", "/documents/cases/summary", "/uploads", "/materials/x")
    for path in doors:
        answer = await edge.send(QUERY, path=path, method="GET" if path.startswith("/materials") else "POST")
        assert (answer.status_code, codes(answer)) == (500, ["INTERNAL"])
        incident = answer.json()["errors"][0]["extensions"]["incident"]
        assert incident in answer.json()["errors"][0]["message"]
        assert any(getattr(record, "incident", None) == incident for record in caplog.records)
        assert await kept(edge, incident)
        assert [name for name in HEADERS if name not in answer.headers] == []
        assert not any(word in answer.text for word in ("Traceback", "RuntimeError", ".py", "沈福根", "3305"))


async def test_a_refusal_has_one_shape_on_every_address(edge: Edge) -> None:
    paths = ("/graphql", "/departments/health/messages", "/documents/cases/summary", "/uploads")
    answers = [await edge.send(QUERY, role=None, path=path) for path in paths]
    assert [(answer.status_code, *codes(answer)) for answer in answers] == [(401, "UNAUTHENTICATED")] * len(paths)
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer realm="shenhou"'}


async def test_a_fault_while_rights_are_checked_is_an_incident_too(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.application.desk, "rights", None)
    answer = await edge.send(QUERY)
    assert (answer.status_code, codes(answer)) == (500, ["INTERNAL"]) and "NoneType" not in answer.text


async def test_browsers_are_told_to_come_by_tls_in_production() -> None:
    sent = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("330502193910109559")

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await Web(app, secure=True)({"type": "http", "headers": [], "method": "GET"}, None, send)  # type: ignore
    assert sent[0]["status"] == 500 and b"strict-transport-security" in dict(sent[0]["headers"])  # type: ignore
    assert leaks(repr(sent).encode()) == []
