"""What Data Manager refuses in a request on customer lists: the checks of the sandbox's half, with Google's reasons.

Pure: JSON of a request → an error. Fields, limits and reasons are those of the REST reference, v1 ("ErrorReason"),
forms of refusals those of "Understand API errors" and "Send audience members". Stricter than Google in two things:
names are taken in lower camel case only, and hashes in lower case only, as Google's own examples have both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.ads.google.customer_match import ACCOUNT_TYPE, FIRST_PARTY, MAX_MEMBERS, THIRD_PARTY
from integrations.sandbox.protocol import Response

DOMAIN = "datamanager.googleapis.com"
MAX_DESTINATIONS = 10
MAX_IDENTIFIERS = 10  #: of one member
MAX_TOLD = 100  #: violations of one answer
_STATUSES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
}
_SAID = "There was a problem with the request."

#: A field's form: any value (None), one of these names, an object, or a list of objects ([form]).
Form = Any
_ACCOUNT: Form = {
    "accountType": frozenset({ACCOUNT_TYPE, "DISPLAY_VIDEO_ADVERTISER", "DATA_PARTNER"}),
    "accountId": None,
}
_CONSENTS = frozenset({"CONSENT_STATUS_UNSPECIFIED", "CONSENT_GRANTED", "CONSENT_DENIED"})
_CONSENT: Form = {"adUserData": _CONSENTS, "adPersonalization": _CONSENTS}
_USER: Form = {"userIdentifiers": [{"emailAddress": None, "phoneNumber": None, "address": None}]}
REMOVAL: Form = {
    "destinations": [
        {
            "reference": None,
            "operatingAccount": _ACCOUNT,
            "loginAccount": _ACCOUNT,
            "linkedAccount": _ACCOUNT,
            "productDestinationId": None,
        }
    ],
    "audienceMembers": [
        {
            "destinationReferences": None,
            "consent": _CONSENT,
            "userData": _USER,
            "compositeData": {"userData": _USER, "ipData": None},
            "mobileData": None,
            "userIdData": None,
        }
    ],
    "validateOnly": None,
    "encoding": frozenset({"ENCODING_UNSPECIFIED", "HEX", "BASE64"}),
    "encryptionInfo": None,
}
INGESTION: Form = {
    **REMOVAL,
    "consent": _CONSENT,
    "termsOfService": {
        "customerMatchTermsOfServiceStatus": frozenset({"TERMS_OF_SERVICE_STATUS_UNSPECIFIED", "ACCEPTED", "REJECTED"})
    },
}
USER_LIST: Form = {
    "displayName": None,
    "description": None,
    "membershipStatus": frozenset({"OPEN", "CLOSED"}),
    "integrationCode": None,
    "membershipDuration": None,
    "targetNetworkInfo": {"eligibleForSearch": None},
    "ingestedUserListInfo": {
        "uploadKeyTypes": None,
        "contactIdInfo": {"dataSourceType": frozenset({"DATA_SOURCE_TYPE_UNSPECIFIED", FIRST_PARTY, THIRD_PARTY})},
    },
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is wrong."""

    field: str
    reason: str
    description: str = ""


class RefusedCall(Exception):
    """Raised for a request that is refused as a whole."""

    def __init__(
        self,
        *violations: Violation,
        status: int = 400,
        reason: str = "INVALID_ARGUMENT",
        message: str = _SAID,
        domain: str = DOMAIN,
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.domain = status, reason, message, domain
        self.violations = violations

    def response(self) -> Response:
        """Return the google.rpc.Status."""
        kind = "type.googleapis.com/google.rpc"
        request_id = "t-sandbox"
        details: list[dict[str, Any]] = []
        if self.reason:
            info = {"reason": self.reason, "domain": self.domain, "metadata": {"requestId": request_id}}
            details = [
                {"@type": f"{kind}.ErrorInfo", **info},
                {"@type": f"{kind}.RequestInfo", "requestId": request_id},
            ]
        if self.violations:
            told = [_told(one) for one in self.violations[:MAX_TOLD]]
            details.append({"@type": f"{kind}.BadRequest", "fieldViolations": told})
        body = {"code": self.status, "message": self.message, "status": _STATUSES[self.status], "details": details}
        return Response(status=self.status, body={"error": body})


def check_form(value: Any, form: Form, path: str = "") -> None:
    """Check that only fields that exist are given, each in its form."""
    if isinstance(form, Mapping):
        if not isinstance(value, dict):
            raise _unreadable(path, f"Invalid value at '{path}', an object is needed.")
        for name, item in value.items():
            if name not in form:
                raise _unreadable(path, f"Unknown name \"{name}\" at '{path}': Cannot find field.")
            check_form(item, form[name], f"{path}.{name}" if path else name)
    elif isinstance(form, list):
        if not isinstance(value, list):
            raise _unreadable(path, f"Invalid value at '{path}', a list is needed.")
        for at, item in enumerate(value):
            check_form(item, form[0], f"{path}[{at}]")
    elif isinstance(form, frozenset) and value not in form:
        raise _unreadable(path, f"Invalid value at '{path}'.")


def check_new_list(item: Mapping[str, Any], names: Sequence[str], *, third_party: bool) -> None:
    """Check a list that is to be created beside those of the account that are called ``names``."""
    check_form(item, USER_LIST)
    name, info = item.get("displayName"), item.get("ingestedUserListInfo")
    if not isinstance(name, str) or not name.strip():
        raise RefusedCall(Violation("user_list.display_name", "REQUIRED_FIELD_MISSING", "Required field is missing."))
    if name in names:
        said = "The display name is already being used for another user list for the account."
        raise RefusedCall(Violation("user_list.display_name", "DISPLAY_NAME_ALREADY_USED", said))
    path = "user_list.ingested_user_list_info"
    if not info or not info.get("uploadKeyTypes"):
        raise RefusedCall(Violation(path, "REQUIRED_FIELD_MISSING", "Required field is missing."))
    if info["uploadKeyTypes"] != ["CONTACT_ID"]:
        raise RefusedCall(Violation(f"{path}.upload_key_types", "UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES"))
    if info.get("contactIdInfo", {}).get("dataSourceType") == THIRD_PARTY and not third_party:
        reason = "ADVERTISER_NOT_ALLOWLISTED_FOR_THIRD_PARTY_PARTNER_DATA"
        raise RefusedCall(Violation(f"{path}.contact_id_info.data_source_type", reason))
    if "membershipDuration" in item and not _whole_days(item["membershipDuration"]):
        raise RefusedCall(Violation("user_list.membership_duration", "INVALID_ARGUMENT"))


def check_destinations(body: Mapping[str, Any]) -> None:
    """Check where members go, but for whether there is such a list."""
    found = body.get("destinations")
    if not found:
        raise RefusedCall(Violation("destinations", "REQUIRED_FIELD_MISSING", "Required field is missing."))
    if len(found) > MAX_DESTINATIONS:
        raise RefusedCall(Violation("destinations", "TOO_MANY_DESTINATIONS"))
    for at, one in enumerate(found):
        path = f"destinations[{at}]"
        for key, name in (("operatingAccount", "operating_account"), ("loginAccount", "login_account")):
            if key == "loginAccount" and key not in one:
                continue
            account = one.get(key, {})
            if not account.get("accountId") or not account.get("accountType"):
                raise RefusedCall(Violation(f"{path}.{name}", "REQUIRED_FIELD_MISSING", "Required field is missing."))
            if not str(account["accountId"]).isdecimal():
                said = "String is not a valid number."
                raise RefusedCall(Violation(f"{path}.{name}.account_id", "INVALID_NUMBER_FORMAT", said))
        if one["operatingAccount"]["accountType"] != ACCOUNT_TYPE:
            raise RefusedCall(Violation(f"{path}.operating_account", "INVALID_DESTINATION"))
        if not one.get("productDestinationId"):
            raise RefusedCall(Violation(f"{path}.product_destination_id", "REQUIRED_FIELD_MISSING"))


def members_of(body: Mapping[str, Any]) -> list[str]:
    """Return the hashes of a request's members, after they were checked."""
    members = body.get("audienceMembers")
    if not members:
        raise RefusedCall(Violation("audience_members", "REQUIRED_FIELD_MISSING", "Required field is missing."))
    if len(members) > MAX_MEMBERS:
        said = "Maximum number of audience members allowed per request is 10,000."
        raise RefusedCall(Violation("audience_members", "TOO_MANY_AUDIENCE_MEMBERS", said))
    if body.get("encoding") != "HEX":  # of the two that Google has; the client knows no other
        raise RefusedCall(Violation("encoding", "REQUIRED_FIELD_MISSING", "Required field is missing."))
    found: list[str] = []
    wrong: list[Violation] = []
    for at, one in enumerate(members):
        path = f"audience_members.audience_members[{at}]"
        where, user = (
            (f"{path}.composite_data.user_data", one["compositeData"].get("userData"))
            if "compositeData" in one
            else (f"{path}.user_data", one.get("userData"))
        )
        identifiers = (user or {}).get("userIdentifiers")
        if not identifiers or ("compositeData" in one and "userData" in one):
            wrong.append(Violation(path, "INVALID_AUDIENCE_MEMBER", "This audience member is not valid."))
        elif len(identifiers) > MAX_IDENTIFIERS:
            wrong.append(Violation(f"{where}.user_identifiers", "TOO_MANY_USER_IDENTIFIERS"))
        else:
            wrong += _wrong_hashes(identifiers, where)
            found += [str(item.get("emailAddress")) for item in identifiers]
    if wrong:
        raise RefusedCall(*wrong)
    return found


def _wrong_hashes(identifiers: Sequence[Mapping[str, Any]], where: str) -> Iterator[Violation]:
    for item in identifiers:
        value = item.get("emailAddress")
        if not isinstance(value, str) or len(item) != 1:
            yield Violation(f"{where}.user_identifiers", "INVALID_AUDIENCE_MEMBER")
        elif not re.fullmatch(r"(?:[0-9a-fA-F]{2})+", value):
            yield Violation(f"{where}.user_identifiers", "INVALID_HEX_ENCODING", "Email is not hex encoded.")
        elif not re.fullmatch(r"[0-9a-f]{64}", value):
            yield Violation(where, "INVALID_SHA256_FORMAT")


def _whole_days(duration: Any) -> bool:
    seconds = re.fullmatch(r"(\d+)s", duration) if isinstance(duration, str) else None
    return seconds is not None and int(seconds[1]) % 86_400 == 0


def _unreadable(path: str, said: str) -> RefusedCall:
    """Return the refusal of JSON that is no such message, as Google's front end words it."""
    message = f"Invalid JSON payload received. {said}"
    return RefusedCall(Violation(path, "", message), reason="", message=message)


def _told(violation: Violation) -> dict[str, str]:
    told = {"field": violation.field, "description": violation.description, "reason": violation.reason}
    return {name: value for name, value in told.items() if value}
