"""Changes of an ad set at the sandbox's Facebook: what is refused, and what is kept.

Pure but for the ad set that is changed. Sources: "Ad Set" and "Pacing and Scheduling" of the Marketing API reference.
Where Facebook publishes no subcode, the refusal is code 100 that blames the field. Invariant: a change that is refused
changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from integrations.ads.facebook.sandbox_answers import GraphError

_CAPPED = frozenset({"LOWEST_COST_WITH_BID_CAP", "COST_CAP"})
_STRATEGIES = _CAPPED | {"LOWEST_COST_WITHOUT_CAP"}
_CAPS_FREQUENCY = ("REACH", "THRUPLAY")


def changed(ad_set: dict[str, Any], params: Mapping[str, str], check_targeting: Callable[[Any], None]) -> None:
    """Change audience, bid, end, hours and frequency of an ad set, as far as ``params`` name them.

    Raises GraphError for what Facebook refuses.
    """
    fields: dict[str, Any] = {}
    if "targeting" in params:
        targeting = _nested(params, "targeting")
        if not isinstance(targeting, dict) or not targeting.get("geo_locations"):
            raise _invalid("targeting", ("Your ad set is missing a location", "Select at least one location."))
        check_targeting(targeting)
        fields["targeting"] = targeting
    if "bid_strategy" in params or "bid_amount" in params:
        fields |= _bid(ad_set, params)
    if "end_time" in params:
        fields["end_time"] = _end(ad_set, params["end_time"])
    if "adset_schedule" in params and _nested(params, "adset_schedule"):
        said = ("Ad scheduling needs a lifetime budget", "You can't run ads on a schedule with a daily budget.")
        raise _invalid("adset_schedule", said)
    if "frequency_control_specs" in params:
        fields["frequency_control_specs"] = _frequency(ad_set, _nested(params, "frequency_control_specs"))
    for name, value in fields.items():
        if value is None:
            ad_set.pop(name, None)
        else:
            ad_set[name] = value


def _bid(ad_set: Mapping[str, Any], params: Mapping[str, str]) -> dict[str, Any]:
    strategy = params.get("bid_strategy", ad_set.get("bid_strategy", ""))
    if strategy not in _STRATEGIES:
        raise _invalid("bid_strategy")
    amount = params.get("bid_amount", "")
    if strategy not in _CAPPED:
        return {"bid_strategy": strategy, "bid_amount": None}
    if not amount.isdecimal() or int(amount) < 1:
        said = (
            "Bid Amount Or Bid Constraints Required For Bid Strategy",
            "Bid amount is required for the bid strategy.",
        )
        raise _invalid("bid_amount", said, 2490487)
    return {"bid_strategy": strategy, "bid_amount": int(amount)}


def _end(ad_set: Mapping[str, Any], told: str) -> str | None:
    if told == "0":
        return None
    try:
        end, start = datetime.fromisoformat(told), datetime.fromisoformat(ad_set["start_time"])
    except (KeyError, ValueError):
        raise _invalid("end_time") from None
    if end <= start:
        raise _invalid("end_time", ("End time is too early", "The end time has to be after the start time."))
    return end.strftime("%Y-%m-%dT%H:%M:%S%z")  # as Facebook writes it: no colon in the offset


def _frequency(ad_set: Mapping[str, Any], specs: Any) -> Any:
    if ad_set.get("optimization_goal") not in _CAPS_FREQUENCY:
        said = ("Frequency control is not available", "Frequency control is for the performance goal of reach.")
        raise _invalid("frequency_control_specs", said)
    fine = isinstance(specs, list) and all(
        isinstance(one, dict)
        and one.get("event") == "IMPRESSIONS"
        and _within(one.get("interval_days"))
        and _within(one.get("max_frequency"))
        for one in specs
    )
    if not fine or len(specs) > 1:
        raise _invalid("frequency_control_specs")
    return specs or None


def _within(value: Any) -> bool:
    return isinstance(value, int) and 1 <= value <= 90


def _nested(params: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(params[name])
    except ValueError:
        raise _invalid(name) from None


def _invalid(name: str, said: tuple[str, str] | None = None, subcode: int | None = None) -> GraphError:
    return GraphError(400, 100, "Invalid parameter", subcode=subcode, blame=[name], user=said)
