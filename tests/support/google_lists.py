"""What tests of Google's customer lists share: the client, its sandbox's rules, and a peer that takes members."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ad_platforms import Wire
from routed_http import Routes, routed_server

from integrations.ads.audience import ListTerms
from integrations.ads.google.audience import GoogleAudiences
from integrations.ads.google.customer_match import member
from integrations.providers import Providers
from integrations.settings import Settings

OWN = ListTerms()
PERSON, OTHER = member("jane.doe@acme.example"), member("bo@acme.example")
LISTS = "/google_ads/v1/accountTypes/GOOGLE_ADS/accounts/5000000000/userLists"
TOKEN = "s3cr3t-t0ken-of-google"


def lists_client(url: str, **environment: str) -> GoogleAudiences:
    """The client, as a worker gets it."""
    given = {"SANDBOX_URL": url, "GOOGLE_ADS_BASE_URL": f"{url}/google_ads", **environment}
    found = Providers(Settings.from_env(given)).audiences("google_ads")
    assert isinstance(found, GoogleAudiences)
    return found


@contextmanager
def data_manager_peer() -> Iterator[Routes]:
    """A server that gives a token and takes members."""
    with routed_server() as routes:
        routes.answers["POST /google_ads/token"] = (200, {"access_token": TOKEN, "expires_in": 3599})
        # "Send audience members": the documented answer.
        accepted = (200, {"requestId": "126365e1-16d0-4c81-9de9-f362711e250a"})
        for method in ("ingest", "remove"):
            routes.answers[f"POST /google_ads/v1/audienceMembers:{method}"] = accepted
        routes.answers[f"POST {LISTS}"] = (200, {"id": "77"})
        routes.answers[f"GET {LISTS}"] = (200, {})
        yield routes


def google_allows(sandbox: Any, **leave: Any) -> None:
    """Start a world in which Google lets the account do what ``leave`` says."""
    sandbox.reset(world={"accounts": {"google_ads": {"customer_match": leave}}})


def audiences(sandbox: Any) -> list[dict[str, Any]]:
    """The customer lists that the sandbox's platforms hold."""
    found: list[dict[str, Any]] = sandbox.get("/_sandbox/state")["audiences"]
    return found


def everything(list_id: str) -> list[Callable[[GoogleAudiences, Wire], object]]:
    """Each method that names a list."""
    return [
        lambda google, wire: google.reference(list_id, wire=wire),
        lambda google, wire: google.add(list_id, [PERSON], OWN, wire=wire),
        lambda google, wire: google.remove(list_id, [PERSON], wire=wire),
        lambda google, wire: google.delete(list_id, wire=wire),
    ]


def status(code: int, name: str, *, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    """A google.rpc.Status as REST answers it."""
    details: list[dict[str, Any]] = more.pop("details", [])
    if reason:
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, **more}, *details]
    return {"error": {"code": code, "status": name, "message": message, "details": details}}
