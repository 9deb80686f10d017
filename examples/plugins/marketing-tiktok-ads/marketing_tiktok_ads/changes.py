"""Changes to a live campaign on TikTok: fields of its ad group, and the status of its ads.

Settings: the daily budget in hundredths as text; the audience as places and words; the hours as TikTok's
``dayparting``, one sign for each half an hour of the week from Monday, where no sign and only ones both mean always.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from integrations.ads.change_kind import ChangeKind
from integrations.ads.changes import AudienceChange, Change, DailyBudget, HoursChange, Setting
from integrations.ads.changes_by_kind import ChangesByKind
from integrations.ads.keywords import unmarked
from integrations.ads.platform import Audience, RemoteCampaign, Wire
from integrations.errors import BadRequestError, InvalidAnswerError, NotFoundError
from marketing_tiktok_ads.api import PROVIDER, Api, Row, text
from marketing_tiktok_ads.money import daily, money
from marketing_tiktok_ads.spec import SPEC

HALF_HOURS = 48  #: of a day
ALWAYS = "1" * HALF_HOURS * 7


class TikTokChanges(ChangesByKind):
    """Changes in one advertiser's account."""

    def __init__(self, api: Api) -> None:
        super().__init__(SPEC)
        self._api = api

    def _read(self, remote: RemoteCampaign, kind: ChangeKind, ad: str, wire: Wire) -> JsonValue:
        if kind is ChangeKind.AD_SWITCH:
            return text(self._row("ad", remote, remote.ids[ad], wire), "operation_status") == "ENABLE"
        group = self._row("adgroup", remote, remote.ids.get("adgroup", ""), wire)
        if kind is ChangeKind.DAILY_BUDGET:
            amount = money(group.get("budget"))
            if amount is None:
                raise InvalidAnswerError(PROVIDER, "answered a budget that we can't read")
            return str(daily(amount))
        if kind is ChangeKind.AUDIENCE:
            return {name: [*_texts(group.get(name))] for name in ("locations", "interest_keywords")}
        return text(group, "dayparting") or ALWAYS

    def _wanted(self, remote: RemoteCampaign, change: Change, now: JsonValue, wire: Wire) -> JsonValue:
        if isinstance(change, DailyBudget):
            return str(daily(change.amount))
        if isinstance(change, AudienceChange):
            places, words = aimed(change.audience, change.keywords)
            return {"locations": [*places], "interest_keywords": [*words]}
        if isinstance(change, HoursChange):
            return _dayparting(change)
        raise BadRequestError(PROVIDER, SPEC.unchangeable(change.kind))

    def _write(self, remote: RemoteCampaign, setting: Setting, wire: Wire) -> None:
        value = setting.value
        if setting.kind is ChangeKind.AD_SWITCH:
            status = "ENABLE" if value else "DISABLE"
            self._post("ad/status/update", {"ad_ids": [remote.ids[setting.ad]], "operation_status": status}, wire)
            return
        fields: Mapping[str, JsonValue]
        if setting.kind is ChangeKind.AUDIENCE and isinstance(value, dict):
            fields = value
        else:
            fields = {"budget" if setting.kind is ChangeKind.DAILY_BUDGET else "dayparting": value}
        group = self._row("adgroup", remote, remote.ids.get("adgroup", ""), wire)
        self._post("adgroup/update", {"adgroup_id": text(group, "adgroup_id"), **fields}, wire)

    def _row(self, kind: str, remote: RemoteCampaign, identifier: str, wire: Wire) -> Row:
        """Return an ad group or an ad of the campaign, the first one for no identifier.

        Raises NotFoundError when it is gone.
        """
        for row in self._api.rows(f"{kind}/get", {"filtering": {"campaign_ids": [remote.id]}}, wire=wire):
            if identifier in ("", text(row, f"{kind}_id")):
                return row
        raise NotFoundError(PROVIDER, f"the campaign's {kind} is gone")

    def _post(self, path: str, fields: Mapping[str, object], wire: Wire) -> None:
        wire(lambda timeout: self._api.post(path, fields, timeout=timeout))


def aimed(audience: Audience, keywords: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the places and the words that an audience and keywords make."""
    words = (*audience.industries, *audience.titles, *audience.interests, *unmarked(keywords))
    return audience.locations, words


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _dayparting(change: HoursChange) -> str:
    signs = ["0" if change.spans else "1"] * HALF_HOURS * 7
    for span in change.spans:
        first, until = (span.day * HALF_HOURS + 2 * hour for hour in (span.first, span.until))
        signs[first:until] = "1" * (until - first)
    return "".join(signs)
