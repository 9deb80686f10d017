"""Hash of an e-mail address, by which people are known where their address must not be."""

from __future__ import annotations

from hashlib import sha256


def address_hash(email: str) -> str:
    """Return the SHA-256 of an address as it is written, trimmed and in lower case, in hexadecimal digits."""
    return sha256(email.strip().lower().encode()).hexdigest()
