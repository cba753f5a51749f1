"""People and machines come by tokens of configured issuers; whoever is refused is told why, and whom to turn to."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.requests import Request

from gateway.access import rights, tokens
from gateway.access.entrance import STATUS, Entrance, headers
from gateway.access.identity import Identity
from gateway.access.local_issuer import LocalIssuer
from gateway.access.rights import Refused, Viewer
from gateway.domain.messages import Code, Reason
from tests.issuer import RunningIssuer, new_key

STAFF = {
    "roles": ["duty-person", "window-clerk", "specialist"],
    "area": "330500",
    "claims": {
        "role": {
            "claim": ["realm", "roles"],
            "values": {"ck": "window-clerk", "zs": "duty-person", "zy": "specialist"},
        },
        "department": {"claim": "dept"},
    },
}
CITIZENS = {
    "roles": ["family"],
    "claims": {"role": {"claim": "role"}, "area": {"fixed": "000000"}, "id_number": {"claim": "idcard"}},
}
CLERK = {"name": "刘静", "realm": {"roles": ["other", "ck"]}}


def request(token: str | None = None, *more: tuple[str, str], client: str = "10.0.0.9") -> Request:
    lines = [*more, *([("authorization", f"Bearer {token}")] if token is not None else [])]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    return Request({"type": "http", "method": "POST", "path": "/graphql", "headers": raw, "client": (client, 1)})


@dataclass
class Gate:
    """An entrance before one issuer, with clocks that are moved by hand."""

    issuer: RunningIssuer
    entrance: Entrance
    moved_s: float = 0.0

    async def comes(self, token: str | None, *more: tuple[str, str]) -> Viewer:
        viewer = await self.entrance.viewer(request(token, *more))
        assert viewer is not None
        return viewer

    async def refused(self, token: str | None, *more: tuple[str, str]) -> Reason:
        with pytest.raises(Refused) as caught:
            await self.entrance.viewer(request(token, *more))
        return caught.value.problems[0].reason

    def later(self, seconds: float) -> None:
        self.moved_s += seconds


def build(issuer: RunningIssuer, what: dict[str, Any], **more: Any) -> Gate:
    plain = {"issuers": [{"issuer": issuer.url, "audience": "shenhou", **what}], **more}

    async def remember(*_: object) -> bool:
        raise AssertionError("nothing here is signed")

    entrance = Entrance.build(Identity.model_validate(plain), rights.load(), lambda *parts: ":".join(parts), remember)
    gate = Gate(issuer, entrance)
    entrance.tokens.now = lambda: time.time() + gate.moved_s
    for keys in entrance.published:
        keys.clock = lambda: time.monotonic() + gate.moved_s
    return gate


@pytest.fixture
def issuer() -> Iterator[RunningIssuer]:
    made = RunningIssuer().start()
    yield made
    made.stop()


@pytest.fixture
async def staff(issuer: RunningIssuer) -> AsyncIterator[Gate]:
    gate = build(issuer, STAFF)
    yield gate
    await gate.entrance.stop()


@pytest.fixture
async def citizens(issuer: RunningIssuer) -> AsyncIterator[Gate]:
    gate = build(issuer, CITIZENS)
    yield gate
    await gate.entrance.stop()


# ── who it is ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_token_of_a_configured_issuer_tells_who_comes_in_the_issuers_own_words(staff: Gate) -> None:
    viewer = await staff.comes(staff.issuer.token(**CLERK))
    assert (viewer.role, viewer.area, viewer.name, viewer.department) == ("window-clerk", "330502", "刘静", None)


async def test_a_name_is_one_line_whatever_the_issuer_says(staff: Gate) -> None:
    """It stands before the event in the ledger, behind which the next line begins."""
    viewer = await staff.comes(staff.issuer.token(**CLERK | {"name": "值班员\t\n{}"}))
    assert viewer.name == "值班员 {}"


async def test_of_several_roles_the_first_the_issuer_may_vouch_for_counts(staff: Gate) -> None:
    viewer = await staff.comes(staff.issuer.token(realm={"roles": ["ck", "zs"]}))
    assert viewer.role == "duty-person"


async def test_a_persons_id_number_becomes_a_blind_index_whatever_way_it_is_written(citizens: Gate) -> None:
    one = await citizens.comes(citizens.issuer.token(role="family", idcard="15062619740608922x"))
    other = await citizens.comes(
        citizens.issuer.token(role="family", idcard="１５０６２６１９７４０６０８９２２Ｘ", sub="u-2")
    )
    assert one.subject == other.subject == "person:15062619740608922X"


async def test_the_same_subject_of_two_issuers_is_two_persons(staff: Gate, citizens: Gate) -> None:
    other = RunningIssuer().start()
    second = build(other, CITIZENS)
    try:
        here = await citizens.comes(citizens.issuer.token(role="family"))
        there = await second.comes(other.token(role="family"))
        assert here.subject != there.subject
    finally:
        await second.entrance.stop()
        other.stop()


@pytest.mark.rule("HZ-816")
@pytest.mark.parametrize("role", ["administrator", "department-system", "window-clerk", "no-such-role"])
async def test_an_issuer_that_vouches_for_citizens_cannot_make_anybody_staff(citizens: Gate, role: str) -> None:
    reason = await citizens.refused(citizens.issuer.token(role=role))
    assert reason.code is Code.UNAUTHENTICATED and "this role" in reason.en()


@pytest.mark.rule("HZ-816")
@pytest.mark.parametrize("area", ["000000", "330000", "331000", "33", "330502; --", "３３０５０２", None])
async def test_an_issuer_vouches_for_its_own_area_only(staff: Gate, area: str | None) -> None:
    assert (await staff.refused(staff.issuer.token(**CLERK, area=area))).code is Code.UNAUTHENTICATED


async def test_who_acts_for_a_department_has_to_say_for_which(staff: Gate) -> None:
    assert "missing" in (await staff.refused(staff.issuer.token(realm={"roles": ["zy"]}))).en()
    assert (await staff.comes(staff.issuer.token(realm={"roles": ["zy"]}, dept="health"))).department == "health"


# ── what is no valid token ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "claims, why",
    [
        ({"exp": -61}, "expired"),
        ({"exp": None}, "missing"),
        ({"exp": "tomorrow"}, "missing"),
        ({"nbf": 3600}, "not valid yet"),
        ({"iat": 3600}, "not valid yet"),
        ({"aud": "another-system"}, "somebody else"),
        ({"aud": ["a", "b"]}, "somebody else"),
        ({"aud": None}, "missing"),
        ({"iss": "https://elsewhere.example"}, "not one of those configured"),
        ({"iss": None}, "not one of those configured"),
        ({"sub": None}, "missing"),
        ({"cnf": {"jkt": "x"}}, "not checked here"),
        ({"cnf": {"x5t#S256": "x"}}, "another client certificate"),
    ],
)
async def test_a_token_is_refused_for_its_claims(staff: Gate, claims: dict[str, Any], why: str) -> None:
    now = int(time.time())
    said = {name: now + value if isinstance(value, int) else value for name, value in claims.items()}
    reason = await staff.refused(staff.issuer.token(**{**CLERK, **said}))
    assert reason.code is Code.UNAUTHENTICATED and why in reason.en()


@pytest.mark.parametrize("department", ["Health", "health\n", "x" * 41, "a\0", "部门", "../health"])
async def test_a_department_is_a_code(staff: Gate, department: str) -> None:
    assert "missing" in (await staff.refused(staff.issuer.token(realm={"roles": ["zy"]}, dept=department))).en()


async def test_a_name_that_cannot_be_written_down_is_none(staff: Gate) -> None:
    assert (
        await staff.comes(staff.issuer.token(**{**CLERK, "name": " 刘\0静 " + "x" * 999}))
    ).name == f"刘 静 {'x' * 96}"
    half = staff.issuer.token(**CLERK).split(".")
    half[1] = base64.urlsafe_b64encode(b'{"iss": "x", "name": "\\ud800"}').rstrip(b"=").decode()
    assert "no signed token" in (await staff.refused(".".join(half))).en()


async def test_clocks_may_differ_by_the_leeway_and_no_more(staff: Gate) -> None:
    await staff.comes(staff.issuer.token(**CLERK, exp=int(time.time()) - 30))
    await staff.comes(staff.issuer.token(**CLERK, iat=int(time.time()) + 30, nbf=int(time.time()) + 30))


async def test_a_verdict_is_not_kept_longer_than_its_token_is_valid(staff: Gate) -> None:
    token = staff.issuer.token(**CLERK, exp=int(time.time()) + 600)
    await staff.comes(token)
    staff.later(500)
    await staff.comes(token)
    staff.later(200)
    assert "expired" in (await staff.refused(token)).en()


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """As an attacker writes it: no library would."""
    plain = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    return plain + "." + (b64(hmac.digest(secret, plain.encode(), "sha256")) if secret is not None else "")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def test_nobody_signs_with_a_key_that_is_published_or_with_none(staff: Gate) -> None:
    until = int(time.time()) + 900
    claims = {**CLERK, "iss": staff.issuer.url, "aud": "shenhou", "sub": "u", "area": "330502", "exp": until}
    public = staff.issuer.key
    assert "algorithm" in (await staff.refused(by_hand({"alg": "none"}, claims, None))).en()
    for secret in (public.as_pem(private=False), json.dumps(public.as_dict(private=False)).encode()):
        forged = by_hand({"alg": "HS256", "kid": public.kid}, claims, secret)
        assert "algorithm" in (await staff.refused(forged)).en()
    rsa = RSAKey.generate_key(2048, {"kid": public.kid})
    assert "signature" in (await staff.refused(staff.issuer.token(rsa, {"alg": "RS256"}, **CLERK))).en()
    other = ECKey.generate_key("P-256", {"kid": public.kid})
    assert "signature" in (await staff.refused(staff.issuer.token(other, **CLERK))).en()


async def test_a_secret_that_an_issuer_publishes_by_mistake_signs_nothing(staff: Gate) -> None:
    secret = OctKey.generate_key(256, {"kid": "oops"})
    staff.issuer.published = [secret.as_dict(private=True), staff.issuer.key.as_dict(private=False)]
    forged = staff.issuer.token(secret, {"alg": "HS256"}, **CLERK)
    assert (await staff.refused(forged)).code is Code.UNAUTHENTICATED
    await staff.comes(staff.issuer.token(**CLERK))


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "..", "é.é.é", "W10.W10.W10", "x" * 9000, "eyJhbGciOiJFUzI1NiJ9.W10.AA"]
)
async def test_rubbish_is_no_token_and_asks_no_issuer(staff: Gate, token: str) -> None:
    assert (await staff.refused(token)).code is Code.UNAUTHENTICATED
    assert staff.issuer.hits == 0


async def test_a_token_may_not_be_of_any_size(staff: Gate) -> None:
    await staff.comes(staff.issuer.token(**CLERK, note="x" * 4000))
    assert "too long" in (await staff.refused(staff.issuer.token(**CLERK, note="x" * 9000))).en()


async def test_verdicts_do_not_fill_the_memory(staff: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_VERDICTS", 3)
    for number in range(8):
        await staff.comes(staff.issuer.token(**CLERK, jti=str(number)))
    assert len(staff.entrance.tokens._verdicts) == 3


# ── keys of issuers ─────────────────────────────────────────────────────────────────────────────────────


async def test_any_number_of_tokens_with_unknown_keys_asks_the_issuer_once(staff: Gate) -> None:
    await staff.comes(staff.issuer.token(**CLERK))
    assert staff.issuer.hits == 1
    staff.later(31)
    strangers = [staff.issuer.token(new_key(), **CLERK) for _ in range(60)]
    await asyncio.gather(*(staff.refused(token) for token in strangers[:30]))
    for token in strangers[30:]:
        assert "no such key" in (await staff.refused(token)).en()
    assert staff.issuer.hits == 2


async def test_a_new_key_counts_as_soon_as_it_is_used_and_the_old_one_no_longer(staff: Gate) -> None:
    old = staff.issuer.token(**CLERK)
    await staff.comes(old)
    staff.issuer.rotate()
    await staff.comes(old)
    staff.later(31)
    await staff.comes(staff.issuer.token(**CLERK))
    assert "no such key" in (await staff.refused(old)).en(), "neither the old key nor a verdict under it is kept"


async def test_keys_are_kept_while_their_issuer_is_away(staff: Gate) -> None:
    first = staff.issuer.token(**CLERK)
    await staff.comes(first)
    staff.issuer.stop()
    staff.later(3600)
    [keys] = staff.entrance.published
    await keys.refresh()
    await staff.comes(staff.issuer.token(**CLERK, exp=int(time.time()) + 9000))
    staff.issuer.rotate()
    staff.later(31)
    reason = await staff.refused(staff.issuer.token(**CLERK, exp=int(time.time()) + 9000))
    assert reason.code is Code.IDENTITY_UNAVAILABLE, "the issuer may have a new key: nobody can say that it has not"


async def test_a_gateway_that_started_without_its_issuer_says_so_and_recovers_by_itself(issuer: RunningIssuer) -> None:
    issuer.stop()
    gate = build(issuer, STAFF)
    gate.entrance.start()
    try:
        reason = await gate.refused(issuer.token(**CLERK))
        assert reason.code is Code.IDENTITY_UNAVAILABLE
        assert STATUS[reason.code] == 503 and headers(reason)["Retry-After"].isdigit()
        issuer.start()
        gate.later(31)
        await gate.comes(issuer.token(**CLERK))
    finally:
        await gate.entrance.stop()


@pytest.mark.parametrize(
    "published",
    [[], [{"kty": "EC"}], [{"kty": "oct", "k": "AAAA"}], ["x"], [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]],
)
async def test_keys_are_not_lost_to_an_issuer_that_publishes_rubbish(staff: Gate, published: list[Any]) -> None:
    await staff.comes(staff.issuer.token(**CLERK))
    staff.issuer.published = published
    [keys] = staff.entrance.published
    await keys.refresh()
    await staff.comes(staff.issuer.token(**CLERK, jti="another"))


async def test_a_discovery_document_of_another_issuer_is_not_believed(issuer: RunningIssuer) -> None:
    gate = build(issuer, {**STAFF, "issuer": f"{issuer.url}/"})
    try:
        token = issuer.token(**CLERK, iss=f"{issuer.url}/")
        assert (await gate.refused(token)).code is Code.IDENTITY_UNAVAILABLE
    finally:
        await gate.entrance.stop()


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.rule("HZ-816")
async def test_every_denial_says_whom_to_turn_to_in_both_languages(staff: Gate) -> None:
    table = rights.load()
    told = [await staff.refused(token) for token in ("x", staff.issuer.token(), staff.issuer.token(new_key()))]
    for reason in told:
        assert table.contact in reason.zh() and table.contact_en in reason.en()
        assert "{" not in reason.zh() + reason.en()
        assert headers(reason)["WWW-Authenticate"].startswith('Bearer realm="shenhou", error="invalid_token"')


async def test_a_request_that_brings_nothing_is_nobodys(staff: Gate) -> None:
    assert await staff.entrance.viewer(request(None)) is None
    assert await staff.entrance.viewer(request(None, ("authorization", "Basic eDp5"))) is None
    assert await staff.entrance.viewer(request("")) is None


async def test_the_local_issuer_is_believed_only_where_it_is_mounted(issuer: RunningIssuer) -> None:
    local = LocalIssuer.from_seed(b"l" * 32)
    token = local.issue({"sub": "a", "role": "administrator", "area": "000000"})
    gate = build(issuer, STAFF)
    assert "not one of those configured" in (await gate.refused(token)).en()
    await gate.entrance.stop()
