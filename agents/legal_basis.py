"""Legal bases of processing a person's data, and when the person has to be told.

Sources: Regulation (EU) 2016/679 (GDPR), Article 6(1) for the bases, Article 14(3)(a) for the notice.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import datetime
from typing import Literal, get_args

LegalBasis = Literal["consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interest"]
#: Default: Article 6(1)(f), of which recital 47 names direct marketing.
LEGITIMATE_INTEREST: LegalBasis = "legitimate_interest"
CONSENT: LegalBasis = "consent"
CONTRACT: LegalBasis = "contract"


def read_basis(text: str) -> LegalBasis | None:
    """Return the legal basis that a cell of a file names (``Legitimate interests``), or None when it names none."""
    words = re.sub(r"[\W_]+", "_", text.strip().lower()).strip("_")
    found: dict[str, LegalBasis] = {name.rstrip("s"): name for name in get_args(LegalBasis)}
    return found.get(words.rstrip("s"))


def notice_due(collected_at: datetime) -> datetime:
    """Return when a person whose data came from elsewhere has to be told at the latest: a month after it came.

    At the first message to the person it is due as well, if that is earlier.
    """
    year, month = collected_at.year + collected_at.month // 12, collected_at.month % 12 + 1
    return collected_at.replace(year=year, month=month, day=min(collected_at.day, monthrange(year, month)[1]))
