"""When what could not be done outside is tried again."""

from __future__ import annotations

#: SQL over a row's column ``attempts``: half a minute after the first attempt, twice as long after each further one, an
#: hour at most.
NEXT_ATTEMPT = "now() + least(3600, 30 * 2 ^ least(attempts, 10)) * interval '1 second'"
