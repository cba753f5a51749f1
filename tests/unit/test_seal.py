"""The seal: two suites, several keys, and nothing that can be moved, altered or guessed."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from gateway import settings
from gateway.store.seal import GUOMI, INTERNATIONAL, SUITES, IndexKey, Seal, Suite, UnknownKey, said

ONE, TWO = b"1" * 32, b"2" * 32
INDEX = [IndexKey(1, b"i" * 32)]
ID = "330502193910109559"

pytestmark = pytest.mark.rule("PD-15")
both = pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)


def seal(*numbers: int, suite: Suite = INTERNATIONAL) -> Seal:
    secrets = {1: ONE, 2: TWO}
    return Seal({number: secrets[number] for number in numbers}, [IndexKey(1, b"i" * 32, suite)], suite)


@both
def test_a_sealed_value_opens_for_its_own_row_only(suite: Suite) -> None:
    sealed = seal(1, suite=suite).close("沈福根".encode(), "case:1")
    assert seal(1, suite=suite).open(sealed, "case:1").decode() == "沈福根"
    with pytest.raises(InvalidTag):
        seal(1, suite=suite).open(sealed, "case:2")
    assert seal(1, suite=suite).close(b"x", "case:1") != seal(1, suite=suite).close(b"x", "case:1")


@given(st.binary(max_size=300), st.text(max_size=30), st.sampled_from(list(SUITES.values())))
def test_whatever_is_sealed_comes_back(plain: bytes, row: str, suite: Suite) -> None:
    assert seal(1, suite=suite).open(seal(1, suite=suite).close(plain, row), row) == plain


@both
def test_no_byte_can_be_altered(suite: Suite) -> None:
    sealed = seal(1, 2, suite=suite).close(b"x", "r")
    for place in range(len(sealed)):
        altered = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises((InvalidTag, UnknownKey)):
            seal(1, 2, suite=suite).open(altered, "r")


def test_the_first_key_seals_and_every_key_of_either_suite_opens() -> None:
    values = [seal(1, suite=suite).close(b"x", "r") for suite in SUITES.values()]
    values += [seal(2, 1, suite=suite).close(b"x", "r") for suite in SUITES.values()]
    assert [said(value[:2]) for value in values] == [
        "key 1 (international)",
        "key 1 (guomi)",
        "key 2 (international)",
        "key 2 (guomi)",
    ]
    assert {seal(1, 2).open(value, "r") for value in values} == {b"x"}
    with pytest.raises(UnknownKey, match=r"key 2 \(guomi\)"):
        seal(1).open(values[-1], "r")


def test_sm4_gcm_and_hmac_sm3_are_what_the_national_suite_is() -> None:
    """Opened by hand, and SM3 against the example of GB/T 32905."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.hashes import SM3
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    mine = Seal({7: ONE}, [IndexKey(1, b"i" * 32, GUOMI)], GUOMI)
    sealed = mine.close(b"x", "r")
    key = HKDF(SM3(), 16, None, b"shenhou body guomi").derive(ONE)
    opening = Cipher(algorithms.SM4(key), modes.GCM(sealed[2:14], sealed[-16:])).decryptor()
    opening.authenticate_additional_data(b"g\x07r")
    opening.update(sealed[14:-16])
    opening.finalize()
    assert mine.digest(b"abc") == "sm3:66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_a_digest_is_compared_in_the_hash_it_was_made_with() -> None:
    old, new = seal(1), seal(1, suite=GUOMI)
    known = old.digest(b"abc")
    assert known == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert new.digest(b"abc") != known
    assert new.digest(b"abc", like=known) == known


def test_an_index_finds_under_every_key_and_is_written_under_the_first() -> None:
    old = Seal({1: ONE}, INDEX)
    new = Seal({1: ONE}, [IndexKey(2, b"j" * 32, GUOMI), *INDEX])
    assert old.indexes("id", ID) == new.indexes("id", ID)[1:]
    assert [index[:3] for index in new.indexes("id", ID)] == ["g02", "i01"]
    assert {len(index) for index in new.indexes("id", ID)} == {40}
    assert set(new.indexes("id", ID)).isdisjoint(new.indexes("name", ID))
    assert new.indexes("a", "bc") != new.indexes("ab", "c")


def test_pseudonyms_stay_through_every_change_of_keys_and_suite() -> None:
    old = Seal({1: ONE}, INDEX)
    new = Seal({2: TWO}, [IndexKey(2, b"j" * 32, GUOMI), *INDEX], GUOMI)
    assert old.pseudonym("person", ID) == new.pseudonym("person", ID)
    assert old.pseudonym("person", ID) not in old.indexes("person", ID), "known indexes do not betray a pseudonym"
    other = Seal({1: ONE}, [IndexKey(1, b"j" * 32)])
    assert other.pseudonym("person", ID) != old.pseudonym("person", ID)


def test_no_key_is_printed(tmp_path: Path) -> None:
    """A debugger's or a test's view of an object ends in logs and tickets."""
    read = settings.read({"SHENHOU_DATA_DIR": str(tmp_path), "SHENHOU_HEALTH_SECRET": "hush"}, ("health",))
    shown = repr(read) + repr(read.seal)
    secrets = [*read.data_keys.values(), *(key.secret for key in read.index_keys), read.issuer_seed, b"hush"]
    assert [secret for secret in secrets if repr(secret)[2:-1] in shown] == []


def test_the_same_secret_makes_different_keys_for_every_use() -> None:
    one = Seal({1: ONE}, [IndexKey(1, ONE)])
    assert one.indexes("x")[0][3:] not in one.pseudonym("x")
    assert len(set(one.marks().values())) == 2, "the oldest index key is index key 1"


def key(text: str) -> str:
    return base64.b64encode(text.encode() * 32).decode()


@pytest.mark.parametrize(
    "variables, named",
    [
        ({"CIPHER_SUITE": "rot13"}, "SHENHOU_CIPHER_SUITE must be international or guomi"),
        ({"CIPHER_SUITE": "guomi", "INDEX_KEYS": f"1:{key('i')}"}, "put a new key <number>:guomi"),
        ({"INDEX_KEYS": f"1:rot13:{key('i')}"}, "key 1 must be"),
        ({"DATA_KEYS": key("x")}, "SHENHOU_DATA_KEYS must be like"),
        ({"DATA_KEYS": f"256:{key('x')}"}, "from 1 to 255"),
        ({"INDEX_KEYS": f"1:{key('i')},1:{key('j')}"}, "a number twice"),
    ],
    ids=["no suite", "suite without its index key", "index of no suite", "no number", "large", "twice"],
)
def test_keys_that_cannot_be_used_are_named_and_not_shown(
    tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    given = {f"SHENHOU_{name}": value for name, value in variables.items()}
    with pytest.raises(settings.BadSetting, match=named) as found:
        settings.read({"SHENHOU_DATA_DIR": str(tmp_path), **given})
    assert not any(key(letter) in str(found.value) for letter in "ijx")


def test_settings_keep_the_order_of_keys_and_the_suite_of_each(tmp_path: Path) -> None:
    given = {"SHENHOU_DATA_KEYS": f"2:{key('b')},1:{key('a')}", "SHENHOU_CIPHER_SUITE": "guomi"}
    given["SHENHOU_INDEX_KEYS"] = f"3:guomi:{key('k')},1:{key('i')}"
    made = settings.read({"SHENHOU_DATA_DIR": str(tmp_path), **given}).seal
    assert said(made.mark) == "key 2 (guomi)"
    assert [index[:3] for index in made.indexes("x")] == ["g03", "i01"]
    assert made.pseudonym_key.number == 1
