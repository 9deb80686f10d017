"""The sandbox as a process: what it announces, its control endpoints, its faults, and that it tells one story."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from stack import Sandbox, running_sandbox

from integrations.provider_registry import provider_specs
from integrations.providers import Providers
from integrations.sandbox.catalog import providers
from integrations.sandbox.control import Sandbox as Inside
from integrations.sandbox.faults import Fault, FaultError, Faults
from integrations.sandbox.protocol import Request
from integrations.sandbox.server import is_own_host
from integrations.sandbox.world import Quirk, World
from integrations.settings import Settings


def http_get(url: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def search(sandbox: Sandbox) -> int:
    return http_get(sandbox.url, "/serpapi/search.json?q=saas&api_key=k")[0]


def test_it_announces_itself_and_ends_at_once(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, "--latency-ms", "1") as sandbox:
        assert sandbox.announced["event"] == "listening"
        assert sandbox.url.startswith("http://127.0.0.1:")
        sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "slow", "delay": 60})
        with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port or 0)) as waiting:
            waiting.sendall(b"GET /serpapi/search.json?q=x&api_key=k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            began = time.monotonic()
            os.kill(sandbox.pid, signal.SIGTERM)
            assert waiting.recv(100) == b""
        assert time.monotonic() - began < 3


def test_a_taken_port_is_an_error_in_words(sandbox: Sandbox) -> None:
    port = str(urlsplit(sandbox.url).port)
    done = subprocess.run(
        [sys.executable, "-m", "integrations.sandbox", "--port", port],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "8.8.8.8", "acme.com"])
def test_it_is_for_this_machine_only(host: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "integrations.sandbox", "--host", host],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "loopback" in done.stderr


def test_every_provider_of_the_settings_is_served(sandbox: Sandbox) -> None:
    prefixes = {provider.prefix for provider in providers()}
    for spec in provider_specs().values():
        assert "/" + spec.sandbox_path.split("/")[1] in prefixes
    for path in ("/serpapi/", "/_sandbox/state", "/nothing"):
        assert http_get(sandbox.url, path)[1]["x-sandbox"] == "true"


def test_state_counts_calls(sandbox: Sandbox) -> None:
    before = sandbox.get("/_sandbox/state")
    assert before["calls"] == {}
    assert before["ad_campaigns"] == []
    assert before["llm"] == {"calls": 0}
    search(sandbox)
    http_get(sandbox.url, "/hunter/v2/email-verifier?email=a@b.com")
    assert sandbox.get("/_sandbox/state")["calls"] == {"hunter": 1, "serpapi": 1}
    (call,) = sandbox.get("/_sandbox/calls?provider=hunter")
    assert call["provider"] == "hunter"
    assert call["endpoint"] == "GET /v2/email-verifier"
    assert call["status"] == 401
    assert abs(call["at"] - time.time()) < 60
    assert len(sandbox.get("/_sandbox/calls")) == 2


def test_faults_come_and_go(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "down"})
    assert search(sandbox) == 503
    assert sandbox.get("/_sandbox/state")["faults"] == {"serpapi": "down"}
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "rate_limited"})
    assert search(sandbox) == 429
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "lost_reply"})
    with pytest.raises(http.client.RemoteDisconnected):
        search(sandbox)
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "garbage"})
    assert http_get(sandbox.url, "/serpapi/search.json?q=saas&api_key=k")[2].startswith(b"<html>")
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "ok"})
    assert search(sandbox) == 200
    statuses = [call["status"] for call in sandbox.get("/_sandbox/calls?provider=serpapi")]
    assert statuses == [503, 429, 0, 200, 200]


def test_a_fault_ends_by_itself(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "down", "seconds": 0})
    assert search(sandbox) == 200
    now = [0.0]
    faults = Faults(seed=7, clock=lambda: now[0])
    faults.set("x", Fault.parse({"mode": "down", "seconds": 10}, 0.0))
    assert faults.draw("x") is not None
    now[0] = 10.0
    assert faults.draw("x") is None
    assert faults.active() == {}


def test_a_fault_asks_to_wait_in_the_providers_own_form(sandbox: Sandbox) -> None:
    paths = {
        "openai": "/openai/v1/chat/completions",
        "serpapi": "/serpapi/search.json",
        "hunter": "/hunter/v2/email-verifier",
        "facebook_ads": "/facebook/v26.0/me",
        "linkedin_ads": "/linkedin_ads/rest/adAccounts/1",
    }
    own = {"openai": "1"}  # what they say by themselves, in a header of HTTP

    def said(provider: str, **fault: object) -> dict[str, str]:
        sandbox.post("/_sandbox/faults", {"provider": provider, **fault})
        return http_get(sandbox.url, paths[provider])[1]

    for provider in paths:
        assert said(provider, mode="rate_limited").get("retry-after") == own.get(provider)
        assert "retry-after" not in said(provider, mode="down")
        assert said(provider, mode="down", retry_after=9)["retry-after"] == "9"
        if provider != "facebook_ads":
            assert said(provider, mode="rate_limited", retry_after=2.5)["retry-after"] == "2.5"
    minutes = said("facebook_ads", mode="rate_limited")["x-business-use-case-usage"]
    assert json.loads(minutes)["1000"][0]["estimated_time_to_regain_access"] == 1
    sandbox.post("/_sandbox/faults", {"provider": "clearbit", "mode": "rate_limited", "retry_after": 30})
    ends = http_get(sandbox.url, "/clearbit/v2/companies/find")[1]["x-ratelimit-reset"]
    assert float(ends) == pytest.approx(time.time() + 30, abs=2)
    seconds = said("facebook_ads", mode="rate_limited", retry_after=2.5)["x-ad-account-usage"]
    assert json.loads(seconds) == {"acc_id_util_pct": 100, "reset_time_duration": 2.5}


def test_a_rate_hits_its_share_in_the_same_way_each_time() -> None:
    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed=seed)
        faults.set("x", Fault.parse({"mode": "down", "rate": 0.3}, time.monotonic()))
        return [faults.draw("x") is not None for _ in range(500)]

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert 100 < sum(drawn(7)) < 200


@pytest.mark.parametrize(
    "body",
    [
        {"provider": "nobody", "mode": "down"},
        {"provider": "serpapi", "mode": "sideways"},
        {"provider": "serpapi"},
        {"provider": "serpapi", "mode": "down", "rate": 2},
        {"provider": "serpapi", "mode": "down", "seconds": "ten"},
        {"provider": "serpapi", "mode": "down", "seconds": -1},
        {"provider": "serpapi", "mode": "rate_limited", "retry_after": "soon"},
    ],
)
def test_bad_faults_are_refused(sandbox: Sandbox, body: dict[str, object]) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        sandbox.post("/_sandbox/faults", body)
    with caught.value as error:
        assert error.code == 400
        assert json.load(error)["error"]


def test_bad_control_requests_are_refused(sandbox: Sandbox) -> None:
    inside = Inside([])
    for path, body in (
        ("/_sandbox/reset", b"{"),
        ("/_sandbox/reset", b"[]"),
        ("/_sandbox/reset", b'{"seed": "x"}'),
        ("/_sandbox/reset", b'{"world": 3}'),
        ("/_sandbox/advance", b'{"days": -1}'),
    ):
        assert inside.control(Request(method="POST", path=path, body=body)).status == 400
    assert inside.control(Request(method="GET", path="/_sandbox/nothing")).status == 404
    with pytest.raises(FaultError):
        Fault.parse({"mode": "down", "delay": True}, 0)


def test_reset_forgets_calls_and_faults(sandbox: Sandbox) -> None:
    sandbox.post("/_sandbox/faults", {"provider": "serpapi", "mode": "down"})
    search(sandbox)
    sandbox.reset(seed=11)
    state = sandbox.get("/_sandbox/state")
    assert (state["seed"], state["faults"], state["calls"]) == (11, {}, {})
    assert search(sandbox) == 200


def test_what_was_created_outlives_the_process(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state.json"
    form = "name=Spring&objective=OUTCOME_TRAFFIC&status=PAUSED&special_ad_categories=%5B%5D"
    form += "&is_adset_budget_sharing_enabled=false"
    with running_sandbox(tmp_path, "--state", str(state), "--seed", "9") as sandbox:
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=5)
        connection.request(
            "POST",
            "/facebook/v26.0/act_1000/campaigns?access_token=sandbox",
            form,
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == 200, text
        made = sandbox.get("/_sandbox/state")["ad_campaigns"]
        assert len(made) == 1
        os.kill(sandbox.pid, signal.SIGKILL)
    with running_sandbox(tmp_path, "--state", str(state)) as again:
        assert again.get("/_sandbox/state")["ad_campaigns"] == made
        assert again.get("/_sandbox/state")["seed"] == 9
    with running_sandbox(tmp_path, "--state", str(state), "--seed", "10") as other:
        assert other.get("/_sandbox/state")["ad_campaigns"] == []
    state.write_text("{broken")
    with running_sandbox(tmp_path, "--state", str(state)) as fresh:
        assert fresh.get("/_sandbox/state")["ad_campaigns"] == []


def test_sites_are_told_apart_by_their_host(sandbox: Sandbox) -> None:
    company = World.build(7).companies[0]
    status, headers, body = http_get(sandbox.url, "/about", Host=company.domain)
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert company.name.encode() in body
    assert b"Sandbox site" in body
    assert http_get(sandbox.url, "/about", Host="nobody.example")[0] == 404
    # A page can't reach the controls through a name of its own.
    assert http_get(sandbox.url, "/_sandbox/state", Host="attacker.example")[0] == 404


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1:80", True), ("localhost", True), ("[::1]:80", True), ("acme.example:80", False), ("", True)],
)
def test_own_hosts(host: str, own: bool) -> None:
    assert is_own_host(host) is own


def test_the_world_tells_one_story(sandbox: Sandbox) -> None:
    """What search finds has a site and a mail domain, and Hunter knows its people."""
    clients = Providers(Settings.from_env({"SANDBOX_URL": sandbox.url, "DNS_RESOLVER": sandbox.dns_resolver or ""}))
    result = next(r for r in clients.search.search("saas companies", timeout=5) if ".example:" in r.link)
    domain = (urlsplit(result.link).hostname or "").removeprefix("www.")
    company = World.build(7).by_domain[domain]
    assert company.industry == "saas"
    assert company.name in clients.web.fetch(result.link, timeout=5).html
    facts = clients.hunter.domain_search(domain, timeout=5)
    assert facts.organization == company.name


def test_worlds_differ_by_seed_and_hold_their_traps() -> None:
    world = World.build(7)
    assert len(world.companies) == 540
    assert len(world.by_domain) == len(world.by_name) == 540
    assert World.build(8).companies != world.companies
    titles = {person.title for company in world.companies for person in company.people}
    assert {"Contractor", "Instructor", "Assistant to the CEO", "Art Director", "CEO"} <= titles
    sizes = {company.size for company in world.companies}
    assert {50, 51} <= sizes
    assert {company.quirk for company in world.companies} == set(Quirk)
    assert all(company.domain.endswith(".example") for company in world.companies)
