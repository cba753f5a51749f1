"""Who comes in, over HTTP: tokens of issuers on sockets of their own, machines, signed messages, and production."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver
from http_message_signatures.algorithms import ED25519

from gateway import settings
from gateway.main import create
from tests.acceptance.stage import Stage, eventually, form
from tests.issuer import RunningIssuer

KEY = Ed25519PrivateKey.generate()
VIEWER = "{ viewer { role name area department } }"
ISSUERS = """
issuers:
  - issuer: {staff}
    audience: shenhou
    roles: [duty-person, window-clerk]
    area: "330500"
  - issuer: {machines}
    audience: shenhou
    roles: [department-system]
    claims:
      role: {{fixed: department-system}}
      area: {{fixed: "330500"}}
      department: {{claim: client_id, values: {{hz-wjw-7: health, hz-yh-2: bank}}}}
departments:
  health:
    keys: [{{id: health-1, public_key: {pem}}}]
  bank:
    signature: required
    keys: [{{id: bank-1, public_key: {pem}}}]
key_refresh_s: 2
unknown_key_pause_s: 1
"""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Call:
    """One request, that can be signed and sent again as it is."""

    url: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"

    def signed(self, key_id: str, nonce: str) -> Call:
        resolver = MappingKeyResolver(public_keys={}, private_keys={key_id: KEY})
        HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=resolver).sign(
            self, key_id=key_id, nonce=nonce, covered_component_ids=("@method", "@target-uri"), body=self.body
        )
        return self

    def send(self) -> Answer:
        request = urllib.request.Request(self.url, data=self.body, headers=self.headers, method=self.method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, dict(answer.headers), json.load(answer))
        except urllib.error.HTTPError as error:
            text = error.read()
            return Answer(error.code, dict(error.headers), json.loads(text) if text[:1] in b"{[" else text)


def call(stage: Stage, path: str, token: str | None, body: Any = None, **headers: str) -> Call:
    given = {"Content-Type": "application/json", **headers}
    if token is not None:
        given["Authorization"] = f"Bearer {token}"
    return Call(f"{stage.url}{path}", json.dumps(body if body is not None else {"query": VIEWER}).encode(), given)


@dataclass
class Town:
    stage: Stage
    staff: RunningIssuer
    machines: RunningIssuer

    def machine(self, client: str = "hz-wjw-7") -> str:
        return self.machines.token(client_id=client, sub=client, area=None)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A gateway with two issuers, which were away when it started, and one of which still is."""
    folder = tmp_path_factory.mktemp("guarded")
    made = Town(Stage(folder), RunningIssuer(), RunningIssuer().start())
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    file = folder / "identity.yaml"
    file.write_text(ISSUERS.format(staff=made.staff.url, machines=made.machines.url, pem=json.dumps(pem)))
    made.stage.variables["SHENHOU_IDENTITY_FILE"] = str(file)
    made.stage.start_gateway("2025-11-07T22:10:00+08:00")
    yield made
    made.stage.stop()
    made.staff.stop()
    made.machines.stop()


# ── issuers ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_gateway_runs_without_its_issuer_and_takes_its_tokens_as_soon_as_it_is_there(guarded: Town) -> None:
    token = guarded.staff.token(role="duty-person", name="值班员")
    away = call(guarded.stage, "/graphql", token).send()
    assert away.status == 503 and away.body["errors"][0]["extensions"]["code"] == "IDENTITY_UNAVAILABLE"
    assert away.headers["retry-after"].isdigit()
    machine = call(guarded.stage, "/graphql", guarded.machine()).send()
    assert machine.status == 200, "the other issuer's are not touched"
    guarded.staff.start()
    answer = eventually(lambda: found if (found := call(guarded.stage, "/graphql", token).send()).status == 200 else 0)
    expected = {"role": "duty-person", "name": "值班员", "area": "330502", "department": None}
    assert answer.body["data"]["viewer"] == expected


def test_a_key_that_its_issuer_took_back_opens_nothing_after_a_while(guarded: Town) -> None:
    old = guarded.machine()
    assert call(guarded.stage, "/graphql", old).send().status == 200
    guarded.machines.rotate()
    eventually(lambda: call(guarded.stage, "/graphql", old).send().status == 401)
    assert call(guarded.stage, "/graphql", guarded.machine()).send().status == 200


def test_an_issuer_of_machines_vouches_for_the_departments_it_knows(guarded: Town) -> None:
    answer = call(guarded.stage, "/graphql", guarded.machine()).send()
    assert answer.body["data"]["viewer"]["department"] == "health"
    assert call(guarded.stage, "/graphql", guarded.machine("hz-unknown")).send().status == 401
    lying = guarded.machines.token(client_id="hz-wjw-7", role="administrator", area="000000")
    assert call(guarded.stage, "/graphql", lying).send().body["data"]["viewer"]["role"] == "department-system"


# ── denials ─────────────────────────────────────────────────────────────────────────────────────────────

DOORS = ["/graphql", "/departments/health/messages", "/departments/no-such/messages", "/documents/cases/summary"]


@pytest.mark.rule("HZ-816")
@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("token, error", [(None, False), ("rubbish", True)])
def test_every_door_asks_who_comes_and_says_whom_to_turn_to(
    guarded: Town, path: str, token: str | None, error: bool
) -> None:
    answer = call(guarded.stage, path, token).send()
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="shenhou"')
    assert ("invalid_token" in answer.headers["www-authenticate"]) is error
    told = json.dumps(answer.body, ensure_ascii=False)
    assert "UNAUTHENTICATED" in told and "12345" in told and "hotline" in told


@pytest.mark.rule("HZ-816")
def test_who_lacks_a_right_is_told_which_and_whom_to_turn_to(guarded: Town) -> None:
    clerk = guarded.stage.token("window-clerk")
    [error] = guarded.stage.errors(clerk, "{ supervision { undeliverable } }")
    assert error["extensions"]["code"] == "FORBIDDEN" and "supervision" in error["message"]
    assert "系统管理员" in error["message"] and "your own office" in error["extensions"]["messageEn"]
    for token, path in ((clerk, "health"), (guarded.machine(), "bank"), (guarded.machine(), "no-such")):
        answer = call(guarded.stage, f"/departments/{path}/messages", token).send()
        told = answer.body["errors"][0]["extensions"]
        assert answer.status == 403 and told["code"] == "FORBIDDEN" and "your own office" in told["messageEn"]


# ── machines of the local issuer ────────────────────────────────────────────────────────────────────────


def test_a_departments_system_gets_its_token_by_client_credentials(guarded: Town) -> None:
    known = json.load(urllib.request.urlopen(f"{guarded.stage.url}/local-issuer/.well-known/openid-configuration"))
    assert json.load(urllib.request.urlopen(known["jwks_uri"]))["keys"][0].keys() & {"d"} == set(), "no private key"
    printed = subprocess.run(
        [sys.executable, "-m", "gateway", "client", "health"],
        env=guarded.stage.environment,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    given = dict(line.split("=", 1) for line in printed.split())

    def ask(secret: str, basic: bool, **form_: str) -> Answer:
        plain = {"grant_type": "client_credentials", **form_}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic:
            pair = f"{given['client_id']}:{secret}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            plain |= {"client_id": given["client_id"], "client_secret": secret}
        return Call(known["token_endpoint"], urlencode(plain).encode(), headers).send()

    for basic in (True, False):
        answer = ask(given["client_secret"], basic)
        assert answer.status == 200 and answer.headers["cache-control"] == "no-store"
        viewer = call(guarded.stage, "/graphql", answer.body["access_token"]).send().body["data"]["viewer"]
        assert (viewer["role"], viewer["department"]) == ("department-system", "health")
        assert ask("guessed", basic).body == {"error": "invalid_client"}
    assert ask(given["client_secret"], True, grant_type="password").body == {"error": "unsupported_grant_type"}


# ── signed messages ─────────────────────────────────────────────────────────────────────────────────────


def test_a_department_that_has_to_sign_is_heard_signed_only(guarded: Town) -> None:
    bank = guarded.machine("hz-yh-2")
    answer = call(guarded.stage, "/graphql", bank).send()
    assert answer.status == 401 and answer.body["errors"][0]["extensions"]["code"] == "SIGNATURE_REQUIRED"
    assert "content-digest" in answer.headers["accept-signature"]
    assert call(guarded.stage, "/graphql", bank).signed("bank-1", "n" * 30).send().status == 200
    door = call(guarded.stage, "/departments/bank/messages", bank, {}).send()
    assert door.status == 401 and door.body["errors"][0]["extensions"]["code"] == "SIGNATURE_REQUIRED"


@pytest.mark.rule("PD-06")
def test_a_replayed_message_is_told_from_a_serial_that_is_harmlessly_repeated(guarded: Town) -> None:
    stage = guarded.stage
    number = stage.do(stage.token("duty-person"), "submitCase", "case { number }", **form())["case"]["number"]
    query = """mutation($i: AcceptItemInput!) { acceptItem(input: $i) { acknowledgement userErrors { code } } }"""
    variables = {"i": {"caseNumber": number, "item": "death-cert-normal", "serial": "s-1"}}
    body = {"query": query, "variables": variables}
    first = call(stage, "/graphql", guarded.machine(), body).signed("health-1", "a" * 20)
    assert first.send().body["data"]["acceptItem"]["acknowledgement"] == "APPLIED"
    again = first.send()
    assert again.status == 409 and again.body["errors"][0]["extensions"]["code"] == "MESSAGE_REPLAYED"
    anew = call(stage, "/graphql", guarded.machine(), body).signed("health-1", "b" * 20).send()
    assert anew.body["data"]["acceptItem"]["acknowledgement"] == "REPEATED"
    changed = call(stage, "/graphql", guarded.machine(), body).signed("health-1", "c" * 20)
    changed.body = changed.body.replace(b"s-1", b"s-2")
    refused = changed.send()
    assert refused.status == 401 and refused.body["errors"][0]["extensions"]["code"] == "SIGNATURE_REFUSED"


# ── production ──────────────────────────────────────────────────────────────────────────────────────────

KEYS = {
    "SHENHOU_MODE": "production",
    "SHENHOU_DATA_KEYS": "1:" + base64.b64encode(b"1" * 32).decode(),
    "SHENHOU_INDEX_KEY": base64.b64encode(b"2" * 32).decode(),
    "SHENHOU_SEAL_KEY": base64.b64encode(b"3" * 32).decode(),
}
SAFE = "issuers: [{issuer: 'https://id.example', audience: shenhou, roles: [family]}]"
SEED = base64.b64encode(b"4" * 32).decode()


@pytest.mark.parametrize(
    "changes, identity, why",
    [
        ({}, None, "SHENHOU_IDENTITY_FILE"),
        ({"SHENHOU_ISSUER_SEED": SEED}, SAFE, "local issuer"),
        ({"SHENHOU_LOCAL_ISSUER_URL": "https://x/local-issuer"}, SAFE, "local issuer"),
        ({"SHENHOU_SEAL_KEY": ""}, SAFE, "SHENHOU_SEAL_KEY"),
        ({}, SAFE.replace("https", "http"), "https only"),
    ],
)
def test_production_does_not_start_where_nobody_or_anybody_could_come_in(
    tmp_path: Path, changes: dict[str, str], identity: str | None, why: str
) -> None:
    environment = {**Stage(tmp_path).environment, **KEYS}
    if identity is not None:
        (tmp_path / "identity.yaml").write_text(identity)
        environment["SHENHOU_IDENTITY_FILE"] = str(tmp_path / "identity.yaml")
    environment |= changes
    with pytest.raises(settings.BadSetting, match=why):
        create(settings.read(environment), {}, {})


def test_production_has_no_local_issuer_and_believes_none(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    forged = stage.token("administrator")
    (tmp_path / "identity.yaml").write_text(SAFE)
    stage.variables |= {**KEYS, "SHENHOU_IDENTITY_FILE": str(tmp_path / "identity.yaml")}
    ended = subprocess.run(
        [sys.executable, "-m", "gateway", "token", "--role", "administrator"],
        env=stage.environment,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2 and "does not run in production" in ended.stderr
    stage.start_gateway()
    try:
        assert call(stage, "/graphql", forged).send().status == 401
        assert call(stage, "/local-issuer/token", None).send().status == 404
    finally:
        stage.stop()
