"""The file that says who may vouch for whom: what is unsafe or wrong in it stops the start and is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.access import rights
from gateway.access.identity import BadIdentity, load

TWICE = """
issuers:
  - {issuer: https://a, audience: x, roles: [family]}
  - {issuer: https://a, audience: y, roles: [support]}
"""


@pytest.mark.parametrize(
    "text, wrong",
    [
        ("issuers: [{issuer: https://a, audience: x, roles: [emperor]}]", "no role emperor"),
        ("issuers: [{issuer: https://a, audience: x, roles: [family], algorithms: [HS256]}]", "algorithms"),
        ("issuers: [{issuer: https://a, audience: x, roles: [family], algorithms: [none]}]", "algorithms"),
        ("issuers: [{issuer: https://a, audience: x, roles: []}]", "roles"),
        ("issuers: [{issuer: https://a, audience: x, roles: [family], area: 330500}]", "area"),
        ("issuers: [{issuer: https://a, audience: x}]", "roles"),
        ("issuers: [{issuer: http://127.0.0.1:1, audience: x, roles: [family]}]", "https only"),
        ("issuers: [{issuer: https://a, jwks: http://b, audience: x, roles: [family]}]", "https only"),
        ("departments: {health: {certificates: [ab]}}", "certificates"),
        ("departments: {health: {signature: required}}", "needs keys"),
        (f"departments: {{health: {{area: '330500', certificates: [{'ab' * 32}]}}}}", "need a proxy"),
        (f"departments: {{health: {{certificates: [{'ab' * 32}]}}}}", "need an area"),
        (TWICE, "given twice"),
        ("departments: {health: {keys: [{id: k, public_key: nonsense}]}}", "public_key"),
        ("isuers: []", "isuers"),
        ("[", "file"),
    ],
)
def test_a_mistake_in_the_file_stops_the_start_and_is_named(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text)
    with pytest.raises(BadIdentity, match=wrong):
        load(file, rights.load(), production=True)


def test_the_file_that_the_guide_shows_is_one(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs/access.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    file = tmp_path / "identity.yaml"
    file.write_text(shown, encoding="utf-8")
    found = load(file, rights.load(), production=True)
    assert [issuer.roles[0] for issuer in found.issuers] == ["family", "duty-person", "department-system"]


def test_issuers_on_this_machine_may_be_without_https_in_development_only(tmp_path: Path) -> None:
    file = tmp_path / "identity.yaml"
    file.write_text("issuers: [{issuer: 'http://127.0.0.1:1', audience: x, roles: [family]}]")
    assert load(file, rights.load(), production=False).issuers[0].roles == ["family"]
    file.write_text("issuers: [{issuer: 'http://id.example', audience: x, roles: [family]}]")
    with pytest.raises(BadIdentity, match="https only"):
        load(file, rights.load(), production=False)
