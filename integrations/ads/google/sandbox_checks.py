"""What Google Ads refuses in a new object: the checks of the sandbox's half, each with Google's own code.

Pure: (object in JSON form, what is there already) → an error of :mod:`integrations.ads.google.sandbox_failures`.
Sources: the enumerations of google-ads 34 (v26) and "Text ads: limits" of Google Ads help. Invariant: a check never
asks for more than Google does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from integrations.ads.google.sandbox_failures import refused
from integrations.ads.google.spec import SPEC
from integrations.currencies import smallest

Item = Mapping[str, Any]
_LIMITS = SPEC.limits
_KEYWORD = re.compile(r"[\w\s&'.+/:$#\-]+", re.UNICODE)
_MICROS = 1_000_000


def check_budget(item: Item, currency: str, least_micros: int) -> None:
    """Check the amount of a budget in micros."""
    amount = int(item.get("amountMicros", 0))
    path = ("amount_micros",)
    if amount <= 0:
        raise refused("campaignBudgetError", "NEGATIVE_MONEY_AMOUNT", "The money amount must be positive.", *path)
    if amount % max(10_000, int(smallest(currency or "USD") * _MICROS)):
        said = "The amount is not a multiple of the minimum currency unit."
        raise refused("campaignBudgetError", "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT", said, *path)
    if amount < least_micros:
        details = {"currencyCode": currency or "USD", "budgetPerDayMinimumMicros": str(least_micros)}
        raise refused(
            "campaignBudgetError",
            "BUDGET_BELOW_PER_DAY_MINIMUM",
            "The budget is below the per-day minimum.",
            *path,
            budgetPerDayMinimumErrorDetails=details,
        )


def check_campaign(item: Item, others: Iterable[Item]) -> None:
    """Check a new campaign beside the others of the account."""
    name = _required(item, "name", "name")
    if len(name.encode()) > 255 or re.search(r"[\x00\n\r]", name):
        raise refused("campaignError", "INVALID_CAMPAIGN_NAME", "The campaign name is invalid.", "name")
    if any(other["name"].lower() == name.lower() and other["status"] != "REMOVED" for other in others):
        said = "A campaign with this name already exists."
        raise refused("campaignError", "DUPLICATE_CAMPAIGN_NAME", said, "name")
    _required(item, "advertisingChannelType", "advertising_channel_type")
    _required(item, "campaignBudget", "campaign_budget")
    if "containsEuPoliticalAdvertising" not in item:
        said = "The declaration on EU political advertising is required."
        path = "contains_eu_political_advertising"
        raise refused("mutateError", "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED", said, path)
    if not {"manualCpc", "targetSpend", "maximizeConversions", "biddingStrategy"} & set(item):
        raise refused("fieldError", "REQUIRED", "The required field was not present.", "campaign_bidding_strategy")
    networks = item.get("networkSettings", {})
    if not networks.get("targetGoogleSearch"):
        said = "The campaign must target at least one network."
        raise refused("campaignError", "CAMPAIGN_MUST_TARGET_AT_LEAST_ONE_NETWORK", said, "network_settings")
    first, last = (_moment(item, name) for name in ("startDateTime", "endDateTime"))
    if first is not None and last is not None and last < first:
        said = "The end is before the start."
        raise refused("dateRangeError", "START_DATE_AFTER_END_DATE", said, "end_date_time")


def check_criterion(item: Item, known_place: bool) -> None:
    """Check a new criterion of a campaign."""
    if "location" in item and not known_place:
        said = "The location is unknown."
        raise refused("criterionError", "CANNOT_TARGET_CRITERION", said, "location")
    if "language" in item and not re.fullmatch(
        r"languageConstants/1\d{3}", item["language"].get("languageConstant", "")
    ):
        raise refused("criterionError", "CANNOT_TARGET_LANGUAGE", "The language is unknown.", "language")
    if "keyword" in item:
        check_keyword(item)


def check_customer_list(item: Item, known_list: bool, aiming: bool) -> None:
    """Check a new criterion for a customer list, in an account that may aim at lists or only exclude them."""
    path = ("user_list", "user_list")
    if not known_list:
        raise refused("criterionError", "INVALID_USER_LIST", "Invalid user list criterion.", *path)
    if not item.get("negative") and not aiming:
        said = "Targeting is not allowed for Customer Match lists as per Customer Match policy."
        raise refused("criterionError", "CANNOT_TARGET_CUSTOMER_MATCH_USER_LIST", said, *path)


def check_keyword(item: Item) -> None:
    """Check a new keyword."""
    word = item.get("keyword", {})
    text, path = word.get("text", ""), ("keyword", "text")
    if not text or not text.strip():
        raise refused("criterionError", "INVALID_KEYWORD_TEXT", "The keyword text is invalid.", *path)
    if "matchType" not in word:
        raise refused("fieldError", "REQUIRED", "The required field was not present.", "keyword", "match_type")
    if len(text) > 80:
        raise refused("criterionError", "KEYWORD_TEXT_TOO_LONG", "The keyword text is too long.", *path)
    if len(text.split()) > 10:
        raise refused("criterionError", "KEYWORD_HAS_TOO_MANY_WORDS", "The keyword has too many words.", *path)
    if not _KEYWORD.fullmatch(text):
        said = "The keyword contains invalid characters."
        raise refused("criterionError", "KEYWORD_HAS_INVALID_CHARS", said, *path)


def check_ad(item: Item) -> None:
    """Check a new responsive search ad."""
    ad = item.get("ad", {})
    urls = ad.get("finalUrls", [])
    if not urls:
        raise refused("fieldError", "REQUIRED", "The required field was not present.", "ad", "final_urls")
    if urlsplit(urls[0]).scheme not in ("http", "https") or not urlsplit(urls[0]).hostname:
        raise refused("urlFieldError", "INVALID_FINAL_URL", "The final URL is invalid.", "ad", "final_urls", 0)
    texts = ad.get("responsiveSearchAd")
    if texts is None:
        raise refused("adError", "INVALID_AD_TYPE", "The ad type is not valid.", "ad")
    for name, least, most, width in (
        ("headlines", _LIMITS.min_headlines, _LIMITS.max_headlines, _LIMITS.headline_width),
        ("descriptions", _LIMITS.min_descriptions, _LIMITS.max_descriptions, _LIMITS.description_width),
    ):
        found = texts.get(name, [])
        path = ("ad", "responsive_search_ad", name)
        if not least <= len(found) <= most:
            code = "TOO_FEW" if len(found) < least else "TOO_MANY"
            raise refused("collectionSizeError", code, f"Too {code[4:].lower()}.", *path)
        for at, asset in enumerate(found):
            if not asset.get("text", "").strip():
                raise refused("stringLengthError", "EMPTY", "The text is empty.", *path, at, "text")
            if _LIMITS.width(asset["text"]) > width:
                raise refused("stringLengthError", "TOO_LONG", "Too long.", *path, at, "text")


def _required(item: Item, key: str, field: str) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise refused("fieldError", "REQUIRED", "The required field was not present.", field)
    return value


def _moment(item: Item, key: str) -> datetime | None:
    if key not in item:
        return None
    try:
        return datetime.strptime(item[key], "%Y-%m-%d %H:%M:%S")
    except ValueError:
        path = "start_date_time" if key == "startDateTime" else "end_date_time"
        raise refused("dateError", "INVALID_STRING_DATE_TIME_SECONDS", "The date is not valid.", path) from None
