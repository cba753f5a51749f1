"""Personal data at rest: sealed with AES-256-GCM, found by a keyed blind index (HMAC-SHA-256).

A sealed value is ``key id (1 byte) | nonce (12 bytes) | ciphertext``, bound to the row it belongs to.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import zlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


@dataclass(frozen=True)
class Seal:
    """``keys``: key id → 32 bytes; the highest id seals, every id opens.  ``index_key``: for blind indexes."""

    keys: dict[int, bytes]
    index_key: bytes

    def close(self, plain: bytes, row: str) -> bytes:
        """Seals a value for a row; the value can be opened for that row only."""
        key_id = max(self.keys)
        nonce = os.urandom(12)
        packed = zlib.compress(plain, 1)
        return bytes([key_id]) + nonce + AESGCM(self.keys[key_id]).encrypt(nonce, packed, row.encode())

    def open(self, sealed: bytes, row: str) -> bytes:
        """Raises ``cryptography.exceptions.InvalidTag`` for a value that was altered or moved to another row."""
        packed = AESGCM(self.keys[sealed[0]]).decrypt(sealed[1:13], sealed[13:], row.encode())
        return zlib.decompress(packed)

    def index(self, *parts: str) -> str:
        """Blind index of a value: equal values give equal indexes, and the value cannot be read back."""
        return hmac.new(self.index_key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:40]
