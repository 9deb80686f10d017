"""Calls of the providers' clients, each with recorded answers, what is read off them, and what may not be missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ad_platforms import KEY, Wire

from integrations.ads.platform import RemoteCampaign
from integrations.ads.registry import build
from integrations.clearbit import Clearbit
from integrations.hunter import Hunter
from integrations.llm.models import ChatModels
from integrations.pdl import PeopleDataLabs
from integrations.provider_registry import provider_specs
from integrations.serpapi import SerpApi
from integrations.settings import Settings
from integrations.x import X

SINCE = date(2026, 11, 1)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One call of a client, and the answers that it gets."""

    provider: str
    name: str
    document: str  #: that shows such answers
    answers: Mapping[str, str]  #: last part of the path -> file
    call: Callable[[Settings], Any]
    told: Callable[[Any], object]  #: of the result
    expected: object
    needed: frozenset[str] = frozenset()  #: fields without which the answer can't be read

    @property
    def id(self) -> str:
        return f"{self.provider}.{self.name}"


def complete(settings: Settings) -> object:
    with closing(ChatModels(settings)) as models:
        return models.complete([{"role": "user", "content": "Say hello."}], timeout=20)


def question(provider: str) -> Callable[[Settings], Any]:
    asked = provider_specs()[provider].online
    assert asked is not None
    return lambda settings: asked(settings, 10.0)


def on(platform: str, call: Callable[[Any, Wire], object]) -> Callable[[Settings], Any]:
    return lambda settings: call(build(platform, settings), Wire(10))


def needs(*fields: str) -> frozenset[str]:
    return frozenset(fields)


REPORTED = RemoteCampaign(
    id="1", ids={"ad.1": "120210000000000021", "creative.1": "urn:li:sponsoredCreative:119900001"}
)

CASES = [
    Recorded(
        provider="openai",
        name="complete",
        document="API reference, The chat completion object",
        answers={"completions": "openai_chat_completion"},
        call=complete,
        told=lambda found: (found.text, found.finish_reason, found.model, found.usage.input_tokens),
        expected=("Hello! How can I assist you today?", "stop", "gpt-4.1-2025-04-14", 19),
        needed=needs("choices", "choices[0].message"),
    ),
    Recorded(
        provider="openai",
        name="online",
        document="API reference, List models",
        answers={"models": "openai_models"},
        call=question("openai"),
        told=lambda found: found.account,
        expected="models: 2, with sandbox-1",
        needed=needs("data"),
    ),
    Recorded(
        provider="serpapi",
        name="page",
        document="Google Search Engine Results API",
        answers={"search.json": "serpapi_search"},
        call=lambda settings: SerpApi(settings).page("coffee roasters", timeout=10),
        told=lambda found: ([(one.position, one.link) for one in found.results], found.more),
        expected=([(1, "https://acme.example/"), (2, "https://bolt.example/about")], True),
    ),
    Recorded(
        provider="serpapi",
        name="page without results",
        document="Google Search Engine Results API, Fully empty",
        answers={"search.json": "serpapi_no_results"},
        call=lambda settings: SerpApi(settings).page("xyzzy plugh", timeout=10),
        told=lambda found: (found.results, found.more),
        expected=((), False),
    ),
    Recorded(
        provider="serpapi",
        name="online",
        document="Account API",
        answers={"account.json": "serpapi_account"},
        call=question("serpapi"),
        told=lambda found: (found.account, found.remaining),
        expected=("plan Big Data Plan, 6000 searches an hour", "5958 of 30000 searches"),
        needed=needs("total_searches_left"),
    ),
    Recorded(
        provider="hunter",
        name="domain_search",
        document="API v2, Domain Search",
        answers={"domain-search": "hunter_domain_search"},
        call=lambda settings: Hunter(settings).domain_search("acme.example", timeout=10),
        told=lambda found: (found.organization, found.headcount, [one.email for one in found.people]),
        expected=("Acme", "51-200", ["ciaran@acme.example"]),
        needed=needs("data", "data.emails"),
    ),
    Recorded(
        provider="hunter",
        name="find_email",
        document="API v2, Email Finder",
        answers={"email-finder": "hunter_email_finder"},
        call=lambda settings: Hunter(settings).find_email("acme.example", "Ada", "Byrne", timeout=10),
        told=lambda found: (found.email, found.score, found.position),
        expected=("ada@acme.example", 97, "Cofounder"),
        needed=needs("data"),
    ),
    Recorded(
        provider="hunter",
        name="verify",
        document="API v2, Email Verifier",
        answers={"email-verifier": "hunter_email_verifier"},
        call=lambda settings: Hunter(settings).verify("ada@acme.example", timeout=10),
        told=lambda found: (found.status, found.score),
        expected=("valid", 100),
        needed=needs("data", "data.status"),
    ),
    Recorded(
        provider="hunter",
        name="online",
        document="API v2, Account",
        answers={"account": "hunter_account"},
        call=question("hunter"),
        told=lambda found: (found.account, found.remaining),
        expected=("plan Starter, renews 2026-12-29", "1700 credits, 22 searches, 50 verifications"),
        needed=needs("data", "data.requests"),
    ),
    Recorded(
        provider="clearbit",
        name="company",
        document="Enrichment API, Company",
        answers={"find": "clearbit_company"},
        call=lambda settings: Clearbit(settings).company("acme.example", timeout=10),
        told=lambda found: (found.company.name, found.company.employees, found.company.employees_range),
        expected=("Acme", 20313, "10K-50K"),
        needed=needs("domain"),
    ),
    Recorded(
        provider="clearbit",
        name="person",
        document="Enrichment API, Combined",
        answers={"find": "clearbit_combined"},
        call=lambda settings: Clearbit(settings).person("ada@acme.example", timeout=10),
        told=lambda found: (found.person.name, found.person.title, found.company.domain),
        expected=("Ada Byrne", "Co-Founder", "acme.example"),
        needed=needs("person", "company.domain"),
    ),
    Recorded(
        provider="pdl",
        name="search",
        document="Person Search API",
        answers={"search": "pdl_person_search"},
        call=lambda settings: PeopleDataLabs(settings).search("SELECT * FROM person WHERE (x = 'y')", timeout=10),
        told=lambda found: ([(one.name, one.work_email) for one in found.people], found.scroll_token),
        expected=([("ada byrne", None)], "1117$12.176522"),
        needed=needs("data"),
    ),
    Recorded(
        provider="pdl",
        name="person",
        document="Person Enrichment API",
        answers={"enrich": "pdl_person_enrich"},
        call=lambda settings: PeopleDataLabs(settings).person(email="ada@acme.example", timeout=10),
        told=lambda found: (found.name, found.size, found.work_email),
        expected=("ada byrne", "51-200", "ada@acme.example"),
        needed=needs("data"),
    ),
    Recorded(
        provider="pdl",
        name="company",
        document="Company Enrichment API",
        answers={"enrich": "pdl_company_enrich"},
        call=lambda settings: PeopleDataLabs(settings).company(website="acme.example", timeout=10),
        told=lambda found: (found.name, found.employees, found.domain),
        expected=("acme", 78, "acme.example"),
        needed=needs("name"),
    ),
    Recorded(
        provider="x",
        name="posts",
        document="X API v2, Search recent Posts",
        answers={"recent": "x_recent_search"},
        call=lambda settings: X(settings).posts("from:XDevelopers", timeout=10),
        told=lambda found: ([one.author.url for one in found.posts], found.next_token),
        expected=(["https://developer.x.com/"] * 2, "b26v89c19zqg8o3fo7gesq314yb9l2l4ptqy37"),
        needed=needs("data", "includes", "includes.users", "meta", "meta.result_count"),
    ),
    Recorded(
        provider="x",
        name="online",
        document="X API v2, Get usage; Get usage credits",
        answers={"tweets": "x_usage", "credits": "x_credits"},
        call=question("x"),
        told=lambda found: found.remaining,
        expected="4999956565 of 5000000000 posts, 25.50 USD of credit",
        needed=needs("x_usage: data", "x_usage: data.project_cap"),
    ),
    Recorded(
        provider="facebook_ads",
        name="find_by_key",
        document="Marketing API reference, Campaign; Ad Set; Ad",
        answers={"campaigns": "facebook_campaigns", "adsets": "facebook_adsets", "ads": "facebook_ads"},
        call=on("facebook_ads", lambda ads, wire: ads.find_by_key(KEY, wire=wire)),
        told=lambda found: (found.status, dict(found.ids)),
        expected=(
            "paused",
            {"campaign": "120210000000000001", "ad_set": "120210000000000011", "ad.1": "120210000000000021"},
        ),
        needed=needs(
            *(f"facebook_{one}: {field}" for one in ("campaigns", "adsets", "ads") for field in ("data", "data[0].id")),
            "facebook_campaigns: data[0].name",
            "facebook_ads: data[0].name",
        ),
    ),
    Recorded(
        provider="facebook_ads",
        name="report",
        document="Marketing API, Insights",
        answers={"insights": "facebook_insights"},
        call=on("facebook_ads", lambda ads, wire: ads.report(REPORTED, SINCE, wire=wire)),
        told=lambda found: [(one.day, one.ad, one.clicks, one.conversions, one.spend) for one in found],
        expected=[(SINCE, "ad.1", 120, 4, Decimal("58.07"))],
        needed=needs("data", "data[0].date_start"),
    ),
    Recorded(
        provider="facebook_ads",
        name="online",
        document="Graph API reference, User Permissions; Ad Account",
        answers={"permissions": "facebook_permissions", "act_1000": "facebook_account"},
        call=question("facebook_ads"),
        told=lambda found: (found.rights, found.account),
        expected=(("ads_management", "ads_read"), "ad account 1000 in USD, at least 1.00 a day"),
        needed=needs("facebook_permissions: data"),
    ),
    Recorded(
        provider="linkedin_ads",
        name="find_by_key",
        document="Marketing API, Campaigns; Creatives",
        answers={"adCampaigns": "linkedin_campaigns", "creatives": "linkedin_creatives"},
        call=on("linkedin_ads", lambda ads, wire: ads.find_by_key(KEY, wire=wire)),
        told=lambda found: (found.status, dict(found.ids)),
        expected=(
            "paused",
            {"campaign": "147500001", "group": "635140001", "creative.1": "urn:li:sponsoredCreative:119900001"},
        ),
        needed=needs(
            *(f"linkedin_campaigns: elements{field}" for field in ("", "[0].id", "[0].name", "[0].campaignGroup")),
            *(f"linkedin_creatives: elements{field}" for field in ("", "[0].id")),
        ),
    ),
    Recorded(
        provider="linkedin_ads",
        name="report",
        document="Marketing API, Reporting (adAnalytics)",
        answers={"adAnalytics": "linkedin_analytics"},
        call=on("linkedin_ads", lambda ads, wire: ads.report(REPORTED, SINCE, wire=wire)),
        told=lambda found: [(one.day, one.ad, one.clicks, one.conversions, one.spend) for one in found],
        expected=[(SINCE, "creative.1", 41, 3, Decimal("41.52"))],
        needed=needs(
            "elements",
            "elements[0].dateRange",
            "elements[0].dateRange.start",
            *(f"elements[0].dateRange.start.{part}" for part in ("year", "month", "day")),
        ),
    ),
    Recorded(
        provider="linkedin_ads",
        name="online",
        document="Marketing API, Ad Accounts; Ad Account Users",
        answers={"3000": "linkedin_account", "adAccountUsers": "linkedin_account_users"},
        call=question("linkedin_ads"),
        told=lambda found: (found.rights, found.account, found.problems),
        expected=(("CAMPAIGN_MANAGER",), "ad account 3000 in USD", ()),
        needed=needs("linkedin_account_users: elements"),
    ),
    Recorded(
        provider="google_ads",
        name="account",
        document="Using OAuth 2.0 for Web Server Applications; REST, googleAds:search",
        answers={"token": "google_token", "googleAds:search": "google_customer"},
        call=on("google_ads", lambda ads, wire: ads.account(wire=wire)),
        told=lambda found: (found.currency, found.time_zone, found.trouble),
        expected=("USD", "America/New_York", ""),
        needed=needs("google_token: access_token", "google_customer: results", "google_customer: results[0].customer"),
    ),
    Recorded(
        provider="google_ads",
        name="online",
        document="REST, customers:listAccessibleCustomers",
        answers={
            "token": "google_token",
            "customers:listAccessibleCustomers": "google_accessible_customers",
            "googleAds:search": "google_customer",
        },
        call=question("google_ads"),
        told=lambda found: (found.rights, found.account),
        expected=(
            ("account 5000000000", "account 6000000000"),
            "ad account 5000000000 in USD, time zone America/New_York",
        ),
        needed=needs("google_token: access_token", "google_customer: results", "google_customer: results[0].customer"),
    ),
]
