"""Languages at LinkedIn: a pair that it knows, or a refusal that says which there are."""

from __future__ import annotations

from typing import Any

import pytest
from ad_platforms import Steps, Wire, spec

from integrations.ads.linkedin.locale import known, locale_of
from integrations.ads.registry import build
from integrations.errors import BadRequestError
from integrations.settings import Settings


@pytest.mark.parametrize(
    ("language", "urn"),
    [
        ("en", "en_US"),
        ("EN-gb", "en_US"),
        ("de", "de_DE"),
        ("pt_PT", "pt_BR"),
        ("id", "in_ID"),
        ("nb-NO", "no_NO"),
        ("fil", "tl_PH"),
        ("zh-CN", "zh_CN"),
        ("zh-Hant-TW", "zh_TW"),
        ("zh_TW", "zh_TW"),
    ],
)
def test_a_language_has_one_locale(language: str, urn: str) -> None:
    found = locale_of(language)
    assert found is not None
    assert found.urn == f"urn:li:locale:{urn}"
    assert known(found.country, found.language)


@pytest.mark.parametrize("language", ["", "German", "sw", "e", "en us", "de--", "1"])
def test_what_linkedin_does_not_know(language: str) -> None:
    assert locale_of(language) is None


def test_the_campaign_and_its_audience_are_of_the_ads_language(sandbox: Any) -> None:
    ads: Any = build("linkedin_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    made = ads.create(spec(language="de-AT"), wire=Wire(), steps=Steps())
    found = ads._api.get(f"/adAccounts/3000/adCampaigns/{made.id}", {}, timeout=5)
    assert found["locale"] == {"country": "DE", "language": "de"}
    assert "urn:li:locale:de_DE" in str(found["targetingCriteria"])


def test_another_language_is_told_before_anything_is_made(sandbox: Any) -> None:
    ads: Any = build("linkedin_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    (problem,) = ads.validate(spec(language="Swahili"), wire=Wire())
    assert problem.startswith(
        "shows no ads in the language 'Swahili'; give content_requirements.language as one of ar,"
    )
    with pytest.raises(BadRequestError, match="no ads in the language"):
        ads.create(spec(language="Swahili"), wire=Wire(), steps=Steps())


def test_the_sandbox_knows_only_linkedins_pairs(sandbox: Any) -> None:
    ads: Any = build("linkedin_ads", Settings.from_env({"SANDBOX_URL": sandbox.url}))
    made = ads.create(spec(), wire=Wire(), steps=Steps())
    fields = ads._campaign_fields(spec(), made.ids["group"], {"include": {"and": [{}]}})
    with pytest.raises(BadRequestError) as refused:
        ads._api.create(
            "/adAccounts/3000/adCampaigns", {**fields, "locale": {"country": "US", "language": "de"}}, timeout=5
        )
    assert "locale" in (refused.value.detail or "")
