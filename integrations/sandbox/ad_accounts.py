"""Ad accounts in the sandbox's ad world: what every ad platform's half of the sandbox keeps, under any API.

``POST /_sandbox/reset`` with ``{"world": {"accounts": {"facebook_ads": {...}}}}`` changes an account: ``fields`` of its
own answer, ``min_daily`` (the least daily budget, major units), ``ads_refused`` (why its review refuses every ad),
``points`` (score of calls that the account may have; without one it has no limit) and ``decay_s`` (seconds in which
that score is forgotten), ``max_rows`` (of one report, where the platform cuts it). What customer lists read of it
stands in the platform's ``sandbox_lists``.

Invariant: what a platform holds is its objects, the lives of its campaigns and its customer lists; all survive a
restart of the sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from integrations.ads.naming import effect_key_of
from integrations.sandbox.ad_life import Life
from integrations.sandbox.ad_lists import CustomerLists
from integrations.sandbox.ad_score import Score
from integrations.sandbox.ad_text import AdText
from integrations.sandbox.ad_world import DayFigures, Market, market, report
from integrations.sandbox.world import DEFAULT_SEED, chance


class AdAccounts:
    """Base of the sandbox's ad platforms, which add the answers of their API."""

    name: str

    def __init__(self) -> None:
        self.reset(DEFAULT_SEED, None)

    def reset(self, seed: int, world: Mapping[str, Any] | None) -> None:
        """See the protocol."""
        self._market: Market = market(self.name, seed, world)
        self._currency: str | None = (world or {}).get("currency")
        own = ((world or {}).get("accounts") or {}).get(self.name) or {}
        self._own: Mapping[str, Any] = own
        self._account_fields: dict[str, Any] = dict(own.get("fields") or {})
        self._least_daily = Decimal(str(own.get("min_daily", 0)))
        self._ads_refused: str = str(own.get("ads_refused", ""))
        points = own.get("points")
        self._score = None if points is None else Score(float(points), float(own.get("decay_s", 300)))
        self._most_rows = int(own.get("max_rows", 15_000))
        self._seed = seed
        self._objects: dict[str, dict[str, Any]] = {}  #: by a key of the platform's, in the order of creation
        self._lives: dict[str, Life] = {}  #: campaign id -> what happened to it
        self.lists = CustomerLists()

    def advance(self, days: int) -> None:
        """Let days go by for the campaigns that run."""
        for life in self._lives.values():
            life.advance(days)

    def snapshot(self) -> Any:
        """See the protocol."""
        lives = {key: life.to_json() for key, life in self._lives.items()}
        return {"objects": self._objects, "lives": lives, "lists": self.lists.snapshot()}

    def restore(self, data: Any) -> None:
        """See the protocol."""
        self._objects = dict(data["objects"])
        self._lives = {key: Life.from_json(life) for key, life in data["lives"].items()}
        self.lists.restore(data["lists"])

    def listed_campaign(self, campaign_id: str, name: str, status: str, created_at: str) -> dict[str, Any]:
        """Return a campaign as ``ad_campaigns`` lists it, with its budget in major units."""
        return {
            "provider": self.name,
            "id": campaign_id,
            "name": name,
            "effect_key": effect_key_of(name),
            "status": status,
            "daily_budget": self._lives[campaign_id].budget,
            "created_at": created_at,
        }

    def figures(
        self, campaign_id: str, name: str, token: str, texts: Mapping[str, AdText | Sequence[AdText]]
    ) -> dict[str, list[DayFigures]]:
        """Return the days of one revision's ads, by the name of the ad, of the campaign that is called ``name``.

        Of several texts of an ad the one that does best is shown.
        """
        life, key = self._lives[campaign_id], effect_key_of(name)
        return report(life, token, texts, market=self._market, seed=self._seed, platform=self.name, key=key)

    def refusal(self, *texts: str) -> str:
        """Return why the review refuses an ad of these texts, "" when it doesn't."""
        if self._ads_refused:
            return self._ads_refused
        rule, said = self._market.curve.refusals, "\n".join(texts)
        lower = said.lower()
        if any(word.lower() in lower for word in rule.words):
            return rule.reason
        return rule.reason if chance(self._seed, self.name, "review", said) < rule.share else ""
