"""Which angles the ads of one platform try next.

Pure. First ones that differ, spread so that not every campaign and platform begins alike; later the best known one and
those that no ad has tried yet. Invariant: an angle that has surely lost is never chosen, and no angle twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

from agents.angles.angle import Angle
from agents.angles.learned import Learned, Verdict


def next_angles(
    seed: str,
    turn: int,
    count: int,
    found: Mapping[Angle, Learned],
    *,
    kept: Angle | None = None,
    tried: Sequence[Angle] = (),
) -> tuple[Angle, ...]:
    """Return at most ``count`` angles for new texts.

    ``seed`` gives the order of those that no ad has tried, and ``turn``, the platform's place in the campaign, where in
    it the platform begins. ``kept`` is the angle of the ad that goes on running, of which a new text is written only
    when it has won. ``tried``: angles of the platform's ads, which may have no figures yet.
    """
    lost = {angle for angle, one in found.items() if one.verdict is Verdict.LOST}
    best_first = sorted(found, key=lambda angle: (-found[angle].belief.mean, angle))
    leading = [angle for angle in best_first[:1] if found[angle].belief.mean > 0]
    leading = [angle for angle in leading if angle is not kept or found[angle].verdict is Verdict.WON]
    new = [angle for angle in _order(seed, turn * count) if angle not in found and angle not in tried]
    again = [angle for angle in (*best_first, *tried) if angle not in leading]
    wanted = [*leading, *(angle for angle in (*new, *again) if angle is not kept)]
    return tuple(angle for angle in dict.fromkeys(wanted) if angle not in lost)[:count]


def _order(seed: str, begin: int) -> list[Angle]:
    """Return all angles in an order of the seed's, which begins at one place of it."""
    order = sorted(Angle, key=lambda angle: sha256(f"{seed}/{angle}".encode()).hexdigest())
    at = begin % len(order)
    return [*order[at:], *order[:at]]
