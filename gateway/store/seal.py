"""Personal data at rest: sealed, and found by keyed blind indexes, in one of two suites.

A sealed value is ``suite (1 byte) | key number (1 byte) | nonce (12) | ciphertext | tag (16)``, bound to the row it
belongs to and to its own first two bytes.  A blind index is ``suite (1 character) | key number (2 hex digits) | 37 hex
digits``.  Both say what they were made with, so values of several keys and both suites stand side by side.

Release 0.1.0 sealed as ``key number (below 100) | nonce | AES-GCM of the key itself``; such values open until they are
sealed anew.  Its indexes were what is a pseudonym now.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MARK = 2
"""Bytes of a sealed value that say what it was sealed with."""
INDEX_MARK = 3
"""Characters of a blind index that say what it was made with."""
INDEX_LENGTH = 40
_NONCE = 12
_TAG = 16
_FORMER = 100
"""First bytes below are key numbers of release 0.1.0; letters of suites lie above."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Cipher, HMAC and hash that belong together."""

    name: str
    letter: str
    cipher: Callable[[bytes], BlockCipherAlgorithm]
    key_bytes: int
    hash: Callable[[], hashes.HashAlgorithm]


INTERNATIONAL = Suite("international", "i", algorithms.AES, 32, hashes.SHA256)
"""AES-256-GCM, HMAC-SHA-256."""
GUOMI = Suite("guomi", "g", algorithms.SM4, 16, hashes.SM3)
"""国密: SM4-GCM, HMAC-SM3."""
SUITES = {suite.name: suite for suite in (INTERNATIONAL, GUOMI)}
_BY_LETTER = {suite.letter: suite for suite in SUITES.values()}


@dataclass(frozen=True, slots=True)
class IndexKey:
    """``secret``: 32 bytes.  An index key keeps its suite: an index can be compared in one only."""

    number: int
    secret: bytes = field(repr=False)
    suite: Suite = INTERNATIONAL

    @property
    def mark(self) -> str:
        """The first characters of every index made with it."""
        return f"{self.suite.letter}{self.number:02x}"


class UnknownKey(LookupError):
    """A value was sealed with a key that this process does not have."""


@dataclass(frozen=True)
class Seal:
    """``keys``: number (1…255) → 32 bytes; the first seals, every one opens.  ``index_keys``: the first is written,
    every one finds; the one with the lowest number makes pseudonyms and stays for ever."""

    keys: Mapping[int, bytes] = field(repr=False)
    index_keys: Sequence[IndexKey]
    suite: Suite = INTERNATIONAL
    _derived: dict[bytes, bytes] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for key in self.index_keys:
            self._derived[key.mark.encode()] = _derive(key.suite, key.secret, "index", 32)

    @property
    def mark(self) -> bytes:
        """What values are sealed with from now on."""
        return _mark(self.suite, next(iter(self.keys)))

    @property
    def pseudonym_key(self) -> IndexKey:
        return min(self.index_keys, key=lambda key: key.number)

    def close(self, plain: bytes, row: str, level: int = 1) -> bytes:
        """Seals a value for a row; the value can be opened for that row only.

        ``level``: of the compression inside; 0 for what is packed already.
        """
        nonce = os.urandom(_NONCE)
        mark = self.mark
        sealing = Cipher(self._cipher(mark), modes.GCM(nonce)).encryptor()
        sealing.authenticate_additional_data(mark + row.encode())
        return mark + nonce + sealing.update(zlib.compress(plain, level)) + sealing.finalize() + sealing.tag

    def open(self, sealed: bytes, row: str) -> bytes:
        """Raises ``cryptography.exceptions.InvalidTag`` for a value that was altered or moved to another row,
        ``UnknownKey`` for one whose key is not here."""
        if sealed[0] < _FORMER and sealed[0] in self.keys:
            return zlib.decompress(AESGCM(self.keys[sealed[0]]).decrypt(sealed[1:13], sealed[13:], row.encode()))
        mark, nonce = sealed[:MARK], sealed[MARK : MARK + _NONCE]
        opening = Cipher(self._cipher(mark), modes.GCM(nonce, sealed[-_TAG:])).decryptor()
        opening.authenticate_additional_data(mark + row.encode())
        return zlib.decompress(opening.update(sealed[MARK + _NONCE : -_TAG]) + opening.finalize())

    def _cipher(self, mark: bytes) -> BlockCipherAlgorithm:
        suite = _BY_LETTER.get(mark[:1].decode("latin-1"))
        if suite is None or mark[1] not in self.keys:
            raise UnknownKey(f"sealed with {said(mark)}, which is not among the data keys")
        if mark not in self._derived:
            self._derived[mark] = _derive(suite, self.keys[mark[1]], "body", suite.key_bytes)
        return suite.cipher(self._derived[mark])

    def indexes(self, *parts: str) -> tuple[str, ...]:
        """Blind indexes of a value, one per index key: the first is what a column gets, any of them finds it."""
        return tuple(
            key.mark + _keyed(key.suite, self._derived[key.mark.encode()], parts)[: INDEX_LENGTH - INDEX_MARK]
            for key in self.index_keys
        )

    def pseudonym(self, *parts: str) -> str:
        """What stands for a person inside sealed values, which cannot be written anew: the same for ever.

        It never stands in a column of its own: there it would betray whom it means once its key is known.
        """
        return _keyed(self.pseudonym_key.suite, self.pseudonym_key.secret, parts)[:INDEX_LENGTH]

    def marks(self) -> dict[str, str]:
        """What tells two keys of one number apart, and nothing else of them, by the name of the key."""
        found = {f"data key {n}": _derive(INTERNATIONAL, key, "data mark", 16).hex() for n, key in self.keys.items()}
        for key in self.index_keys:
            found[f"index key {key.number}"] = _derive(key.suite, key.secret, "index mark", 16).hex()
        return {**found, "the oldest index key": found[f"index key {self.pseudonym_key.number}"]}

    def digest(self, data: bytes, like: str = "") -> str:
        """``sha256:<64 hex digits>`` or ``sm3:<64 hex digits>``: hash of the suite, or the one ``like`` has."""
        name = like.partition(":")[0]
        suite = next((suite for suite in SUITES.values() if suite.hash().name == name), self.suite)
        taken = hashes.Hash(suite.hash())
        taken.update(data)
        return f"{suite.hash().name}:{taken.finalize().hex()}"


def mark_of(sealed: bytes) -> bytes:
    """The bytes of a sealed value that say what it was sealed with."""
    return sealed[:1] if sealed[0] < _FORMER else sealed[:MARK]


def said(mark: bytes | str) -> str:
    """``i`` and 1 → ``key 1 (international)``, for people."""
    if isinstance(mark, bytes) and mark[0] < _FORMER:
        return f"key {mark[0]} (as 0.1.0)"
    letter = mark[0] if isinstance(mark, str) else chr(mark[0])
    number = int(mark[1:], 16) if isinstance(mark, str) else mark[1]
    suite = _BY_LETTER.get(letter)
    return f"key {number} ({suite.name if suite else 'no suite'})"


def _mark(suite: Suite, number: int) -> bytes:
    return suite.letter.encode() + bytes([number])


def _derive(suite: Suite, secret: bytes, purpose: str, length: int) -> bytes:
    return HKDF(suite.hash(), length, None, f"shenhou {purpose} {suite.name}".encode()).derive(secret)


def _keyed(suite: Suite, key: bytes, parts: Sequence[str]) -> str:
    keyed = hmac.HMAC(key, suite.hash())
    keyed.update("\x1f".join(parts).encode())
    return keyed.finalize().hex()
