"""Customer Match, Google's customer lists: what a list and its members are in a request, and the limits.

Pure. Sources, all of the Data Manager API documentation: "Format user data" (form of an address), "Create a Customer
Match audience", "Send audience members" (members, terms, least size), "Configure destinations", "Limits and quotas",
and the REST reference, v1. Invariant: nothing but a SHA-256 in lower-case hexadecimal digits is put into a request as
a member.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from integrations.address_hash import address_hash
from integrations.ads.audience import ListTerms
from integrations.ads.google.errors import PROVIDER
from integrations.ads.naming import remote_name
from integrations.errors import BadRequestError

ACCOUNT_TYPE = "GOOGLE_ADS"
MAX_MEMBERS = 10_000  #: audience members of one request
#: Members below which a list can't be targeted: 100 active ones within 30 days, of those whom Google knows, so mostly
#: more have to be sent ("Send audience members"; Google Ads help, answer 7476585, for the Search Network).
LEAST = 100
FIRST_PARTY = "DATA_SOURCE_TYPE_FIRST_PARTY"
THIRD_PARTY = "DATA_SOURCE_TYPE_THIRD_PARTY_PARTNER_DATA"
#: Whose addresses are one mailbox whatever dots and ``+tag`` they are written with.
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_HASH = re.compile(r"[0-9a-f]{64}")

Body = dict[str, Any]


def member(address: str) -> str:
    """Return an address as Google wants it: hashed, without spaces, in lower case.

    An address of Gmail loses dots and ``+tag`` before.
    """
    plain = "".join(address.split()).lower()
    local, at, domain = plain.rpartition("@")
    if domain in _GMAIL:
        plain = local.partition("+")[0].replace(".", "") + at + domain
    return address_hash(plain)


def new_list(name: str, effect_key: str, terms: ListTerms) -> Body:
    """Return the body that creates an empty list of addresses.

    Without a duration members stay as long as Google allows.
    """
    return {
        "displayName": remote_name(name, effect_key),
        "ingestedUserListInfo": {
            "uploadKeyTypes": ["CONTACT_ID"],
            "contactIdInfo": {"dataSourceType": THIRD_PARTY if terms.found else FIRST_PARTY},
        },
    }


def addition(account: str, manager: str, list_id: str, members: Sequence[str], terms: ListTerms) -> Body:
    """Return the body that puts members on a list.

    It says that the account has accepted the terms of Customer Match, without which Google takes nobody, and that the
    people have agreed to advertising by their data (Digital Markets Act) only where ``terms`` says so. Raises
    BadRequestError for members in another form.
    """
    body = removal(account, manager, list_id, members)
    body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
    if terms.consented:
        body["consent"] = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
    return body


def removal(account: str, manager: str, list_id: str, members: Sequence[str]) -> Body:
    """Return the body that takes members off a list.

    ``account`` and ``manager`` are account numbers; without a manager's the user of the credentials has access to the
    account itself. Raises BadRequestError for members in another form.
    """
    if len(members) > MAX_MEMBERS:
        raise BadRequestError(PROVIDER, f"{len(members)} members in one call; at most {MAX_MEMBERS} are allowed")
    if not all(_HASH.fullmatch(one) for one in members):
        raise BadRequestError(PROVIDER, "a member is no SHA-256 in 64 lower-case hexadecimal digits; hash it first")
    destination: Body = {"operatingAccount": _account(account), "productDestinationId": list_id}
    if manager and manager != account:
        destination["loginAccount"] = _account(manager)
    return {
        "destinations": [destination],
        "audienceMembers": [
            {"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": one}]}}} for one in members
        ],
        "encoding": "HEX",
    }


def _account(number: str) -> Body:
    return {"accountType": ACCOUNT_TYPE, "accountId": number}
