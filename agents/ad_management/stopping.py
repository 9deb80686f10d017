"""Stopping a campaign's ads on one platform, whatever the state knows of them.

Invariant: the key decides, not what we remember: an ad that was created by an attempt nobody heard from is
found and paused too.
"""

from __future__ import annotations

from typing import Any

from agents.ad_management.deployment import wire_of
from agents.ports import UnitContext
from integrations.ads.platform import ACTIVE, AdPlatform


def stop(ctx: UnitContext, platform: AdPlatform, effect_key: str) -> dict[str, Any]:
    """Pause the remote campaign that carries ``effect_key``; {"platform", "found", "paused"}."""
    wire = wire_of(ctx, platform.name)
    remote = platform.find_by_key(effect_key, wire=wire)
    if remote is None:
        return {"platform": platform.name, "found": False, "paused": False}
    if remote.status == ACTIVE:
        platform.pause(remote, wire=wire)
    return {"platform": platform.name, "found": True, "paused": remote.status == ACTIVE}
