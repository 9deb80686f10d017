"""Steps of a change, given how one platform reads, words and writes each kind of setting.

Invariant: a kind that the platform's spec doesn't list never reaches the wire.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pydantic import JsonValue

from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import AD_STEPS, AdSwitch, Change, ChangePlan, Setting
from integrations.errors import BadRequestError

if TYPE_CHECKING:
    from integrations.ads.platform import RemoteCampaign, Wire
    from integrations.ads.spec import PlatformSpec


class ChangesByKind(ABC):
    """:class:`integrations.ads.changes.Changes` for one ad account."""

    def __init__(self, spec: PlatformSpec) -> None:
        self._spec = spec

    def plan(self, remote: RemoteCampaign, change: Change, *, wire: Wire) -> ChangePlan:
        """See the protocol."""
        ad = change.ad if isinstance(change, AdSwitch) else ""
        before = self.setting(remote, change.kind, ad=ad, wire=wire)
        after = change.on if isinstance(change, AdSwitch) else self._wanted(remote, change, before.value, wire)
        return ChangePlan(before=before, after=Setting(kind=change.kind, ad=ad, value=after))

    def setting(self, remote: RemoteCampaign, kind: ChangeKind, *, ad: str = "", wire: Wire) -> Setting:
        """See the protocol."""
        self._check(remote, kind, ad)
        return Setting(kind=kind, ad=ad, value=self._read(remote, kind, ad, wire))

    def apply(self, remote: RemoteCampaign, setting: Setting, *, wire: Wire) -> None:
        """See the protocol."""
        if self.setting(remote, setting.kind, ad=setting.ad, wire=wire) != setting:
            self._write(remote, setting, wire)

    def _check(self, remote: RemoteCampaign, kind: ChangeKind, ad: str) -> None:
        if reason := self._spec.unchangeable(kind):
            raise BadRequestError(self._spec.name, reason)
        ads = sorted(step for step in remote.ids if step.startswith(AD_STEPS[:1] if _has_ads(remote) else AD_STEPS))
        if kind is ChangeKind.AD_SWITCH and ad not in ads:
            raise BadRequestError(self._spec.name, f"ad={ad!r} is none of the campaign's ads: {', '.join(ads)}")

    @abstractmethod
    def _read(self, remote: RemoteCampaign, kind: ChangeKind, ad: str, wire: Wire) -> JsonValue:
        """Return what stands: for a switch of an ad whether it is on, else a value in the platform's own form."""

    @abstractmethod
    def _wanted(self, remote: RemoteCampaign, change: Change, now: JsonValue, wire: Wire) -> JsonValue:
        """Return what ``change``, which is no switch of an ad, makes of the value ``now``, in the same form."""

    @abstractmethod
    def _write(self, remote: RemoteCampaign, setting: Setting, wire: Wire) -> None:
        """Set it, which differs from what stands."""


def _has_ads(remote: RemoteCampaign) -> bool:
    """Return whether the campaign's ads are called so: where they are, "creative." names what they show."""
    return any(step.startswith(AD_STEPS[0]) for step in remote.ids)
