"""What units of ad management are given and answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from agents.ad_management.written import WrittenCreative
from agents.contacts import KnownContacts
from agents.model_call import Prompted
from agents.stopping import Wanted
from agents.unit_kind import Part
from integrations.ads.audience import ListUse
from integrations.ads.goal import Goal
from integrations.ads.lookalike import Lookalike
from integrations.ads.platform import AdSpec


class OnPlatform(Part):
    """Base of all inputs: every unit is about one platform."""

    platform: str


class WriteCreative(OnPlatform, Prompted):
    """Input of the unit that asks the model for the texts of the ads on one platform."""

    known: KnownContacts = KnownContacts()  #: the contacts that they may name


class Creative(WrittenCreative):
    """Texts as the model wrote them."""

    produced_by: str  #: the path that made them


class CheckAccount(OnPlatform):
    """An ad account that is looked at before anything is paid for."""

    daily_budget: Decimal  #: that the platform would begin with
    currency: str
    goal: Goal  #: what the ads are for


class CheckedAccount(Part):
    """An ad account that can run the campaign, as far as can be seen."""

    seen: bool  #: False: the platform could not be asked now; the dry run before the ads asks again
    currency: str = ""  #: ISO 4217, as the platform tells it
    time_zone: str = ""  #: in which its days begin, as the platform tells it


class Validate(OnPlatform):
    """An ad that the platform shall check and not make."""

    spec: AdSpec
    known: KnownContacts = KnownContacts()  #: the contacts that it may name


class Validated(Part):
    """Answer of a platform that accepts the ad."""

    valid: bool = True


class Customers(Part):
    """People for the campaign's customer list at the platform, by hashes only."""

    use: ListUse
    members: Mapping[str, str]  #: SHA-256 of the address -> the platform's own form of it
    found: bool  #: some of them come from elsewhere than the advertiser's own files
    consented: bool  #: all of them have consented
    lookalike: Lookalike | None = None  #: which lookalike audience is made of the list, for that use


class Deploy(Validate):
    """An ad that the platform shall run."""

    remote_ids: Mapping[str, str] = {}  #: of what this campaign made there in an earlier round
    customers: Customers | None = None  #: whom it is aimed at, or kept from, when it is made


class Deployed(Part):
    """What runs now."""

    remote_ids: Mapping[str, str]  #: step name -> id at the platform
    status: str  #: active | paused
    listed: int | None = None  #: people on the customer list that was made for it
    unlisted: str | None = None  #: why it is aimed at no such list, although the campaign asks for one


class LastFigures(Part):
    """What the campaign's own ads on a platform are measured by when its schedule is over."""

    remote_ids: Mapping[str, str]  #: step name -> id at the platform; {}: as the platform lists them
    revision: int  #: of the ads' texts
    currency: str  #: of the campaign
    since: date


class SwitchAd(OnPlatform):
    """An ad that is switched off for good, or off and on again while its campaign is paused."""

    wanted: Wanted | None = None  #: None: off for good
    last: LastFigures | None = None  #: counted once the ad is off


class Switched(Part):
    """What was found and done at the platform."""

    platform: str
    found: bool
    paused: bool  #: it is off because we switched it off, in this attempt or in one that died before it could say so
    enabled: bool  #: it is shown
    counted: bool = False  #: what it has spent was read for the last time
