"""Wire shapes of the sandbox's LinkedIn: checks of what is sent, Rest.li text, forms of answers.

Pure functions. Ids of targeting entities hold their own name as a number, so nothing has to be remembered
to know later what a campaign was aimed at. Invariant: what LinkedIn would refuse is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import unquote

from integrations.ads.linkedin.locale import known
from integrations.sandbox.ad_world import DayFigures
from integrations.sandbox.protocol import Request

_FACETS = {
    "urn:li:adTargetingFacet:locations": "geo",
    "urn:li:adTargetingFacet:industries": "industry",
    "urn:li:adTargetingFacet:titles": "title",
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "group": ("account", "name", "runSchedule", "status"),
    "campaign": (
        "account",
        "campaignGroup",
        "name",
        "type",
        "objectiveType",
        "costType",
        "dailyBudget",
        "locale",
        "runSchedule",
        "targetingCriteria",
        "offsiteDeliveryEnabled",
        "politicalIntent",
        "status",
    ),
    "creative": ("campaign", "name", "intendedStatus", "inlineContent"),
}
#: What an objective lets a campaign optimise for ("Campaign objectives", Marketing API).
OPTIMIZATIONS: Mapping[str, tuple[str, ...]] = {
    "WEBSITE_VISIT": ("MAX_CLICK", "MAX_IMPRESSION", "NONE", "CAP_COST_AND_MAXIMIZE_CLICKS"),
    "LEAD_GENERATION": ("MAX_LEAD", "MAX_CLICK", "NONE", "CAP_COST_AND_MAXIMIZE_LEADS"),
    "WEBSITE_CONVERSION": ("MAX_CONVERSION", "MAX_CLICK", "NONE"),
}
_BUTTONS = frozenset(
    {
        "APPLY",
        "DOWNLOAD",
        "VIEW_QUOTE",
        "LEARN_MORE",
        "SIGN_UP",
        "SUBSCRIBE",
        "REGISTER",
        "JOIN",
        "ATTEND",
        "REQUEST_DEMO",
    }
)


class RestLiError(Exception):
    """A refusal in LinkedIn's form."""

    def __init__(
        self, status: int, code: str, message: str, fields: Sequence[str] = (), *, description: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self._body: dict[str, Any] = {"status": status, "code": code, "message": message}
        if fields:
            self._body["errorDetails"] = {
                "inputErrors": [
                    {
                        "code": "PARAM_INVALID",
                        "input": {"inputPath": {"fieldPath": name}},
                        **({"description": description} if description else {}),
                    }
                    for name in fields
                ]
            }

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return self._body


def json_body(request: Request) -> dict[str, Any]:
    """Return the body of a request.

    Raises RestLiError when it is no JSON object.
    """
    try:
        found = request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise RestLiError(400, "PARAM_INVALID", "Could not parse the body")
    return found


def checked(kind: str, body: Mapping[str, Any], objects: Mapping[str, Mapping[str, Any]], currency: str | None) -> None:
    """Raise RestLiError naming the fields of a new object that are missing or wrong."""
    missing = [name for name in _REQUIRED[kind] if name not in body]
    if missing:
        raise RestLiError(422, "MISSING_FIELD", "A required field is missing", missing)
    wrong = []
    if not body["name"] or len(body["name"]) > (100 if kind == "group" else 255):
        wrong.append("name")
    if kind == "campaign":
        wrong += _wrong_in_campaign(body, objects, currency)
    if kind == "creative":
        if f"campaign/{body['campaign'].rpartition(':')[2]}" not in objects:
            wrong.append("campaign")
        elif objects[f"campaign/{body['campaign'].rpartition(':')[2]}"]["objectiveType"] == "LEAD_GENERATION":
            form = (body.get("leadgenCallToAction") or {}).get("destination", "")
            wrong += [] if re.fullmatch(r"urn:li:adForm:\d+", form) else ["leadgenCallToAction"]
        wrong += _wrong_in_post(body["inlineContent"].get("post") or {})
    if wrong:
        raise RestLiError(422, "PARAM_INVALID", "Invalid field", wrong)


def too_low(least: str) -> RestLiError:
    """Return the refusal of a daily budget under the least."""
    said = f"The daily budget must be at least {least}"
    return RestLiError(422, "PARAM_INVALID", "Invalid field", ["dailyBudget/amount"], description=said)


def _wrong_in_campaign(
    body: Mapping[str, Any], objects: Mapping[str, Mapping[str, Any]], currency: str | None
) -> list[str]:
    wrong = []
    if f"group/{body['campaignGroup'].rpartition(':')[2]}" not in objects:
        wrong.append("campaignGroup")
    money = body["dailyBudget"]
    if not isinstance(money.get("amount"), str) or not re.fullmatch(r"\d+(\.\d{1,2})?", money["amount"]):
        wrong.append("dailyBudget/amount")
    if currency is not None and money.get("currencyCode") != currency:
        wrong.append("dailyBudget/currencyCode")
    if body.get("optimizationTargetType", "NONE") not in OPTIMIZATIONS.get(body["objectiveType"], ()):
        wrong.append("optimizationTargetType")
    locale = body["locale"]
    if not isinstance(locale, dict) or not known(locale.get("country"), locale.get("language")):
        wrong.append("locale")
    if not body["targetingCriteria"].get("include", {}).get("and"):
        wrong.append("targetingCriteria")
    return wrong


def no_conversion() -> RestLiError:
    """Return the refusal to activate a campaign that optimises for conversions and is tied to none."""
    said = "A campaign that optimizes for conversions must have a conversion associated with it to be activated"
    return RestLiError(422, "PARAM_INVALID", "Invalid field", ["status"], description=said)


def _wrong_in_post(post: Mapping[str, Any]) -> list[str]:
    wrong = []
    article = (post.get("content") or {}).get("article") or {}
    if not str(post.get("author", "")).startswith("urn:li:organization:"):
        wrong.append("inlineContent/post/author")
    if not post.get("commentary") or len(plain_text(post["commentary"])) > 3000:
        wrong.append("inlineContent/post/commentary")
    elif re.search(r"(?<!\\)[|{}@\[\]()<>#*_~]", post["commentary"].replace(r"\\", "")):
        wrong.append("inlineContent/post/commentary")  # unescaped "little text"
    if not article.get("title") or len(article["title"]) > 200 or not article.get("source"):
        wrong.append("inlineContent/post/content")
    if post.get("contentCallToActionLabel", "LEARN_MORE") not in _BUTTONS:
        wrong.append("inlineContent/post/contentCallToActionLabel")
    return wrong


def plain_text(commentary: str) -> str:
    """Return a post's text without the escapes of the "little text" format."""
    return re.sub(r"\\(.)", r"\1", commentary)


def page(items: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of a finder, with a cursor while there is more."""
    if "q" not in query:
        raise RestLiError(400, "PARAM_INVALID", "Invalid param", ["q"])
    size = int(query.get("pageSize", "100"))
    start = int(unquote(query.get("pageToken", "")).removeprefix("sandbox-") or 0)
    metadata = {"nextPageToken": f"sandbox-{start + size}"} if start + size < len(items) else {}
    return {"elements": list(items[start : start + size]), "metadata": metadata}


def urn_list(text: str) -> list[str]:
    """Return the members of ``List(a,b)``.

    Raises RestLiError when the list itself is escaped or the colons are not.
    """
    if not text:
        return []
    found = re.fullmatch(r"List\(([^():]*)\)", text)
    if found is None:
        raise RestLiError(400, "PARAM_INVALID", "Invalid param; wrong type or other syntax error", ["List"])
    return [unquote(part) for part in found[1].split(",") if part]


def span(query: Mapping[str, str]) -> tuple[date, date]:
    """Return the first and last day of ``dateRange=(start:(year:..,month:..,day:..),end:(..))``."""
    for name in ("q", "pivot", "timeGranularity", "fields"):
        if name not in query:
            raise RestLiError(400, "PARAM_INVALID", "Invalid param", [name])
    day = r"\(year:(\d+),month:(\d+),day:(\d+)\)"
    found = re.fullmatch(rf"\(start:{day}(?:,end:{day})?\)", query.get("dateRange", ""))
    if found is None:
        raise RestLiError(400, "PARAM_INVALID", "Invalid param; wrong type or other syntax error", ["dateRange"])
    numbers = [int(number) if number else 0 for number in found.groups()]
    return date(*numbers[:3]), date(*numbers[3:]) if numbers[3] else date.max


def tied(key: str) -> tuple[str, str]:
    """Return the campaign and the conversion of the key ``(campaign:URN,conversion:URN)``."""
    found = re.fullmatch(
        r"\(campaign:urn:li:sponsoredCampaign:(\d+),conversion:urn:lla:llaPartnerConversion:(\d+)\)", key
    )
    if found is None:
        raise RestLiError(400, "PARAM_INVALID", "Invalid param; wrong type or other syntax error", ["key"])
    return found[1], found[2]


def analytics_row(creative: str, day: DayFigures, *, form: bool) -> dict[str, Any]:
    """Return one row of adAnalytics, whose conversions were made on a ``form`` or on a web site."""
    at = {"year": day.day.year, "month": day.day.month, "day": day.day.day}
    return {
        "dateRange": {"start": at, "end": at},
        "pivotValues": [creative],
        "impressions": day.impressions,
        "landingPageClicks": day.clicks,
        "externalWebsiteConversions": 0 if form else day.conversions,
        "oneClickLeads": day.conversions if form else 0,
        "costInLocalCurrency": str(day.spend),
    }


def typeahead(query: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the targeting entities for a word: the word itself, as an URN."""
    facet, word = unquote(query.get("facet", "")), unquote(query.get("query", "")).strip()
    if query.get("q") != "typeahead" or facet not in _FACETS:
        raise RestLiError(400, "PARAM_INVALID", "Invalid param", ["facet"])
    if not word or "nowhere" in word.lower():
        return []
    number = int.from_bytes(b"\x01" + word.encode()[:40], "big")
    return [{"urn": f"urn:li:{_FACETS[facet]}:{number}", "name": word, "facetUrn": facet}]


def words_of(criteria: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the industries and titles that a campaign is aimed at, in words."""
    found = []
    for group in criteria.get("include", {}).get("and", []):
        for facet, urns in group.get("or", {}).items():
            if _FACETS.get(facet) in ("industry", "title"):
                found += [_word(urn) for urn in urns]
    return tuple(word for word in found if word)


def _word(urn: str) -> str:
    number = urn.rpartition(":")[2]
    if not number.isdecimal():
        return ""
    value = int(number)
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return data[1:].decode("utf-8", "ignore") if data[:1] == b"\x01" else ""
