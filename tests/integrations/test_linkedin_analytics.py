"""Reports of LinkedIn that it cuts without a word are asked for in parts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from ad_platforms import START, Steps, Wire, spec

from integrations.ads.linkedin import analytics
from integrations.ads.platform import AdPlatform, RemoteCampaign
from integrations.ads.registry import build
from integrations.errors import InvalidAnswerError
from integrations.settings import Settings

SINCE = START.date() - timedelta(days=1)


def begin(sandbox: Any, most_rows: int) -> tuple[AdPlatform, RemoteCampaign]:
    """Return a client and a campaign of two ads that has lived seven days, at a LinkedIn that cuts reports."""
    sandbox.reset(7, {"accounts": {"linkedin_ads": {"max_rows": most_rows}}})
    ads = build("linkedin_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    made = ads.create(spec(), wire=Wire(), steps=Steps())
    ads.enable(made, wire=Wire())
    return ads, made


@pytest.mark.parametrize("until", [None, START.date() + timedelta(days=6)])
@pytest.mark.parametrize(("most", "calls"), [(8, 3), (5, 7), (2, 15)])
def test_a_cut_report_is_asked_for_in_parts(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch, most: int, calls: int, until: date | None
) -> None:
    ads, made = begin(sandbox, 15_000)
    whole = ads.report(made, SINCE, until, wire=Wire())
    assert [one.ad for one in whole] == ["creative.1", "creative.2"] * 7
    ads, made = begin(sandbox, most)
    assert ads.report(made, SINCE, until, wire=Wire()) != whole, "LinkedIn has cut it, and said nothing"
    monkeypatch.setattr(analytics, "MAX_ROWS", most)
    wire = Wire()
    assert ads.report(made, SINCE, until, wire=wire) == whole
    assert wire.calls >= calls


def test_a_day_that_can_not_be_told_whole_is_told(sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ads, made = begin(sandbox, 1)
    monkeypatch.setattr(analytics, "MAX_ROWS", 1)
    with pytest.raises(InvalidAnswerError, match="cuts its report at 1 rows, even of one ad on 2026-03-0"):
        ads.report(made, SINCE, wire=Wire())
