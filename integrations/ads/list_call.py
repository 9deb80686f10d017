"""What one call about the members of a customer list may hold.

Pure. Invariant: whatever is not the SHA-256 of an address is refused before anything is sent, and no error quotes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from integrations.errors import BadRequestError

_HASH = re.compile(r"[0-9a-f]{64}")


def one_call(provider: str, members: Sequence[str], most: int) -> list[str]:
    """Return the members of one call, each once.

    Raises BadRequestError for none of them, for more than ``most``, and for one that is not 64 lower-case hexadecimal
    digits.
    """
    if not 1 <= len(members) <= most:
        raise BadRequestError(
            provider, f"{len(members)} members of a customer list at once; one call takes 1 to {most}"
        )
    if any(not _HASH.fullmatch(member) for member in members):
        raise BadRequestError(provider, "a member of a customer list is not a SHA-256 of 64 lower-case hex digits")
    return [*dict.fromkeys(members)]
