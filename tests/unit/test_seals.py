"""Electronic seals: what the platform shares can be checked, an altered seal is none (HZ-1001)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.access import rights
from gateway.access.local_issuer import LocalIssuer
from gateway.access.seals import Seals, certificate_text, digest
from gateway.access.tokens import read
from gateway.domain.case import IssuedCertificate
from gateway.domain.messages import Refused

ISSUED = datetime(2025, 11, 10, 1, 30, tzinfo=UTC)
FOUND = IssuedCertificate("CREMATION", "C-1", ISSUED, ISSUED, "湖州市殡仪馆", "cremation-cert")
OURS = LocalIssuer.from_seed(b"1" * 32)


@pytest.mark.rule("HZ-1001", "HZ-401")
def test_a_seal_tells_what_it_was_put_on_and_by_its_digest_that_nothing_was_altered() -> None:
    seals = Seals(OURS.key)
    told = seals.check(seals.certificate("HZ1", FOUND))
    assert told is not None
    assert (told["kind"], told["case"], told["type"]) == ("certificate", "HZ1", "CREMATION")
    assert told["sha256"] == digest(certificate_text("HZ1", FOUND))
    assert told["sha256"] != digest(certificate_text("HZ1", replace(FOUND, number="C-2")))


@pytest.mark.rule("HZ-1001")
def test_a_seal_that_was_altered_or_is_of_another_platform_is_none() -> None:
    seal = Seals(OURS.key).certificate("HZ1", FOUND)
    head, body, signature = seal.split(".")
    other = Seals(OURS.key).certificate("HZ2", FOUND).split(".")[1]
    for bad in (f"{head}.{other}.{signature}", f"{head}.{body}.{signature[:-4]}AAAA", "", "a.b.c", seal[1:]):
        assert Seals(OURS.key).check(bad) is None
    assert Seals(LocalIssuer.from_seed(b"2" * 32).key).check(seal) is None


@pytest.mark.rule("HZ-1001")
def test_a_seal_is_no_token_and_a_token_is_no_seal() -> None:
    seal = Seals(OURS.key).certificate("HZ1", FOUND)
    with pytest.raises(Refused):
        read(seal, OURS.key, OURS.trusted(rights.load()), rights.load(), lambda *_: "x")
    assert Seals(OURS.key).check(OURS.issue({"sub": "x", "role": "support", "area": "000000"})) is None


@pytest.mark.rule("HZ-1001")
def test_a_seal_says_nothing_personal() -> None:
    import base64

    seal = Seals(OURS.key).certificate("HZ1", replace(FOUND, number="330502193910109559"))
    body = seal.split(".")[1]
    assert b"330502193910109559" not in base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
