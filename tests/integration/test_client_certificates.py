"""Department systems that come with a client certificate: believed only from trusted proxies (RFC 9440)."""

from __future__ import annotations

import base64

import pytest

from gateway.access.entrance import Entrance
from gateway.access.machines import thumbprint
from gateway.store.session import Database
from tests.machine import (
    CERTIFICATE,
    EXPIRED,
    PROXY,
    SECRET,
    STRANGER,
    Message,
    certificate,
    entrance_of,
    refused,
    token,
)


@pytest.fixture
def entrance(database: Database) -> Entrance:
    return entrance_of(database)


def with_certificate(der: bytes, **more: str) -> Message:
    value = f":{base64.b64encode(der).decode()}:"
    return Message(headers={"Client-Cert": value, "Shenhou-Proxy-Secret": SECRET, **more})


async def test_a_client_certificate_tells_whose_system_comes(entrance: Entrance) -> None:
    viewer = await entrance.viewer(with_certificate(CERTIFICATE).request(None))
    assert viewer is not None
    assert (viewer.role, viewer.department, viewer.area) == ("department-system", "health", "330500")


@pytest.mark.parametrize(
    "client, secret",
    [(STRANGER, SECRET), (PROXY, "guessed"), (PROXY, ""), ("not an address", SECRET), ("::1", SECRET)],
)
async def test_a_certificate_counts_only_from_a_proxy_that_is_trusted(
    entrance: Entrance, client: str, secret: str
) -> None:
    message = with_certificate(CERTIFICATE, **{"Shenhou-Proxy-Secret": secret})
    assert await entrance.viewer(message.request(None, client)) is None


async def test_a_proxy_is_known_by_its_address_in_either_notation(entrance: Entrance) -> None:
    assert await entrance.viewer(with_certificate(CERTIFICATE).request(None, f"::ffff:{PROXY}")) is not None


async def test_a_claim_to_another_address_makes_nobody_a_proxy(entrance: Entrance) -> None:
    message = with_certificate(CERTIFICATE, **{"X-Forwarded-For": PROXY, "Forwarded": f"for={PROXY}"})
    assert await entrance.viewer(message.request(None, STRANGER)) is None


@pytest.mark.parametrize("der", [certificate(), EXPIRED, b"", b"rubbish"], ids=["other", "expired", "none", "rubbish"])
async def test_a_certificate_that_is_not_registered_or_not_valid_now_is_refused(entrance: Entrance, der: bytes) -> None:
    reason = await refused(entrance, with_certificate(der).request(None))
    assert reason.code == "UNAUTHENTICATED" and "certificate" in reason.en()


@pytest.mark.parametrize("value", ["", ":", "::x:", base64.b64encode(CERTIFICATE).decode(), ":%%%:"])
async def test_a_header_that_is_no_certificate_is_refused(entrance: Entrance, value: str) -> None:
    message = with_certificate(CERTIFICATE, **{"Client-Cert": value})
    assert (await refused(entrance, message.request(None))).code == "UNAUTHENTICATED"


async def test_a_token_bound_to_a_certificate_is_good_with_that_certificate_only(entrance: Entrance) -> None:
    bound = token(cnf={"x5t#S256": thumbprint(CERTIFICATE)})
    assert await entrance.viewer(with_certificate(CERTIFICATE).request(bound)) is not None
    for message in (Message(), with_certificate(EXPIRED)):
        assert (await refused(entrance, message.request(bound))).code == "UNAUTHENTICATED"
    stolen = with_certificate(CERTIFICATE)
    assert (await refused(entrance, stolen.request(bound, STRANGER))).code == "UNAUTHENTICATED"


@pytest.mark.rule("PD-15")
@pytest.mark.parametrize(
    "client, headers, expected",
    [
        (PROXY, {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "Shenhou-Proxy-Secret": SECRET}, "203.0.113.9"),
        (PROXY, {"X-Forwarded-For": "203.0.113.9"}, PROXY),
        (STRANGER, {"X-Forwarded-For": "203.0.113.9", "Shenhou-Proxy-Secret": SECRET}, STRANGER),
        (PROXY, {"X-Forwarded-For": "330502193910109559", "Shenhou-Proxy-Secret": SECRET}, PROXY),
        (STRANGER, {}, STRANGER),
    ],
)
def test_from_where_somebody_asks_only_a_trusted_proxy_tells(
    entrance: Entrance, client: str, headers: dict[str, str], expected: str
) -> None:
    assert entrance.origin(Message(headers=headers).request(None, client)) == expected
