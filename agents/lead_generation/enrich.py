"""Units that complete and verify: company facts, missing addresses, mail domains, addresses.

Bounded: paid look-ups are counted over the whole hop (``enrichment.max_lookups``), executives come first. Work is cut
into chunks small enough to be retried and large enough not to be thousands of units; each paid answer is
journalled under its own entry, so a retry pays only for what is still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agents.config import Enrichment
from agents.lead_generation.clean import Candidate, Record, identity, record_of
from agents.lead_generation.company_size import parse_size
from agents.lead_generation.mailboxes import is_webmail
from agents.lead_generation.screen import hashes_of, screen
from agents.lead_generation.titles import is_executive
from agents.ports import UnitContext
from agents.unit import StageResult, Unit, short_hash
from agents.ways import MAIL_DOMAIN, OPTIONAL_WAIT_S
from integrations.errors import TransientError
from integrations.retry import RetryPolicy

PAID_CHUNK = 10  #: look-ups of one unit
DNS_CHUNK = 25  #: mail domains of one unit
ASKS = 3  #: times that a running verification is asked for in one go
MAX_ROUNDS = 3  #: units' tries to see it finished, before it counts as unknown
PENDING_S = 5.0  #: Hunter's own advice for a verification that is still running


def enrich_units(candidates: Sequence[Candidate], wanted: Enrichment, silent: Iterable[str] = ()) -> list[Unit]:
    """Look up companies that lack facts, then people who lack an address.

    ``silent`` are domains of companies that were found but whose sites named nobody.
    """
    if not wanted.find_emails:
        return []
    left = wanted.max_lookups
    companies = _companies(candidates)
    named = {item["domain"] for item in companies} | {found.record.domain for found in candidates}
    companies += [{"domain": domain, "company": None, "people": True} for domain in silent if domain not in named]
    companies = companies[: left - left // 2]
    left -= len(companies)
    people = [
        {"name": found.record.name, "company": found.record.company, "domain": found.record.domain}
        for found in _executives_first(candidates)
        if found.record.email is None and _parts(found.record.name) and (found.record.domain or found.record.company)
    ][:left]
    return [
        *_chunked("companies", "hunter", "companies", companies, PAID_CHUNK),
        *_chunked("find", "hunter", "people", people, PAID_CHUNK),
    ]


def resolve_units(candidates: Sequence[Candidate], wanted: Enrichment) -> list[Unit]:
    """Ask the DNS about each mail domain once."""
    if wanted.verify == "none":
        return []
    domains = sorted({_mail_domain(found.record.email) for found in candidates if found.record.email})
    return _chunked("resolve", "dns", "domains", domains, DNS_CHUNK)


def verify_units(candidates: Sequence[Candidate], wanted: Enrichment, refused: Iterable[str], spent: int) -> list[Unit]:
    """Verify addresses whose domain takes mail; ``spent`` look-ups are already paid."""
    if wanted.verify != "hunter":
        return []
    closed = frozenset(refused)
    emails = [
        found.record.email
        for found in _executives_first(candidates)
        if found.record.email and _mail_domain(found.record.email) not in closed
    ]
    return _chunked("verify", "hunter", "emails", emails[: max(0, wanted.max_lookups - spent)], PAID_CHUNK)


def paid_lookups(stage: StageResult | None) -> int:
    """Look-ups that an enrich stage was planned for."""
    units = [result.unit for result in stage.results] if stage else []
    return sum(len(unit.input.get("companies", ())) + len(unit.input.get("people", ())) for unit in units)


def run_companies(unit: Unit, ctx: UnitContext) -> dict[str, Any]:
    """Facts of companies, and their people where they are asked for."""
    facts: list[Mapping[str, Any]] = []
    records: list[Record] = []
    for item in unit.input["companies"]:
        found = _look_up_company(ctx, item.get("domain"), item.get("company"))
        company = {
            "company": found["organization"] or item.get("company"),
            "domain": found["domain"] or item.get("domain"),
            "industry": found["industry"],
            "company_size": found["headcount"],
            "location": found["city"],
        }
        facts.append(company)
        for person in found["people"] if item.get("people") else ():
            name = " ".join(part for part in (person["first_name"], person["last_name"]) if part)
            row = {**company, "name": name, "email": person["email"], "job_title": person["position"]}
            records.append(record_of(row, "hunter"))
    return {**screen(ctx, records), "companies": facts}


def run_find(unit: Unit, ctx: UnitContext) -> dict[str, Any]:
    """Addresses of people."""
    records: list[Record] = []
    barred: set[str] = set()
    for item in unit.input["people"]:
        found = _look_up_person(ctx, item["name"], item.get("domain"), item.get("company"))
        record = Record(
            source="hunter",
            name=item["name"],
            email=found["email"],
            job_title=found["position"],
            company=item.get("company") or found["company"],
            domain=item.get("domain") or found["domain"],
        )
        if found["suppressed"]:
            barred |= hashes_of(record)
        elif found["email"]:
            records.append(record)
    screened = screen(ctx, records)
    return {**screened, "suppressed": sorted({*screened["suppressed"], *barred})}


def run_resolve(unit: Unit, ctx: UnitContext) -> dict[str, Any]:
    """Which mail domains take mail. TransientError when not one question was answered."""
    found: dict[str, str] = {domain: _mail_status(ctx, domain) for domain in unit.input["domains"]}
    if found and all(status == "unknown" for status in found.values()):
        raise TransientError("dns", f"no name server answered about {len(found)} domains")
    return {"domains": found}


def run_verify(unit: Unit, ctx: UnitContext) -> dict[str, Any]:
    """The status of addresses; a person who objected goes on the suppression list at once.

    A verification that Hunter is still busy with is asked for again, here and in later tries (TransientError
    with its delay), and counts as unknown in the end. While Hunter can't be reached, what the DNS said of the
    domains has to do: the addresses may be right, which nobody has verified.
    """
    if ctx.way == MAIL_DOMAIN:
        return {"emails": dict.fromkeys(unit.input["emails"], "unknown"), "suppressed": [], "verified_by": MAIL_DOMAIN}
    statuses: dict[str, str] = {}
    barred: set[str] = set()
    waiting = list(unit.input["emails"])
    for _ in range(ASKS):
        still: list[str] = []
        for email in waiting:
            found = _verification(ctx, email)
            if found is None:
                still.append(email)
            elif found["suppressed"]:
                ctx.suppression.suppress(email, "objected, says hunter")
                barred.add(identity(email))
            else:
                statuses[email] = found["status"]
        waiting = still
    rounds = int(ctx.journaled("rounds") or 0) + 1
    if waiting and rounds <= MAX_ROUNDS:
        ctx.journal("rounds", rounds)
        raise TransientError("hunter", f"{len(waiting)} verifications are still running", retry_after=PENDING_S)
    return {"emails": {**statuses, **dict.fromkeys(waiting, "unknown")}, "suppressed": sorted(barred)}


def _look_up_company(ctx: UnitContext, domain: str | None, company: str | None) -> dict[str, Any]:
    hunter = ctx.providers.hunter
    return _once(
        ctx,
        f"company.{short_hash(domain or '', company or '')}",
        lambda timeout: asdict(hunter.domain_search(domain, company=company, timeout=timeout)),
    )


def _look_up_person(ctx: UnitContext, name: str, domain: str | None, company: str | None) -> dict[str, Any]:
    hunter = ctx.providers.hunter
    first, last = _parts(name) or (name, "")
    return _once(
        ctx,
        f"find.{short_hash(name, domain or '', company or '')}",
        lambda timeout: asdict(hunter.find_email(domain, first, last, company=company, timeout=timeout)),
    )


def _mail_status(ctx: UnitContext, domain: str) -> str:
    dns = ctx.providers.dns
    return ctx.call("dns", lambda timeout: dns.mail_domain(domain, timeout=timeout)).status


def _verification(ctx: UnitContext, email: str) -> dict[str, Any] | None:
    """What Hunter says about an address; None while it is still at it, which costs nothing."""
    entry = f"verify.{short_hash(email)}"
    found: dict[str, Any] | None = ctx.journaled(entry)
    if found is None:
        hunter = ctx.providers.hunter
        found = asdict(ctx.call("hunter", lambda timeout: hunter.verify(email, timeout=timeout)))
        if found["status"] == "pending":
            return None
        ctx.journal(entry, found)
    return found


def _once(ctx: UnitContext, entry: str, send: Callable[[float], dict[str, Any]]) -> dict[str, Any]:
    """A paid answer: from the journal, else from Hunter and into the journal."""
    found: dict[str, Any] | None = ctx.journaled(entry)
    if found is None:
        found = ctx.call("hunter", send)
        ctx.journal(entry, found)
    return found


def _companies(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Companies of which size or industry is missing, each once; strangers are asked for only beside strangers.

    A user's own list isn't padded with people whom they didn't name.
    """
    wanted: dict[str, dict[str, Any]] = {}
    for found in _executives_first(candidates):
        record = found.record
        where = record.domain or record.company
        if not where or (record.domain and is_webmail(record.domain)):
            continue
        if parse_size(record.company_size) and record.industry:
            continue
        item = wanted.setdefault(where.lower(), {"domain": record.domain, "company": record.company, "people": False})
        own_list = any(source.startswith("file") for source in found.sources)
        item["people"] = item["people"] or not own_list
    return list(wanted.values())


def _executives_first(candidates: Sequence[Candidate]) -> list[Candidate]:
    return sorted(candidates, key=lambda found: not is_executive(found.record.job_title or ""))


def _parts(name: str | None) -> tuple[str, str] | None:
    """First and last name; None when the name has only one part."""
    parts = (name or "").split()
    return (parts[0], " ".join(parts[1:])) if len(parts) > 1 else None


def _mail_domain(email: str) -> str:
    return email.rpartition("@")[2]


def _chunked(kind: str, provider: str, entry: str, items: Sequence[Any], size: int) -> list[Unit]:
    return [
        Unit(
            key=f"{kind}:{start // size:04d}",
            kind=kind,
            provider=provider,
            input={entry: list(items[start : start + size])},
            essential=False,
            policy=RetryPolicy(max_wait_s=OPTIONAL_WAIT_S, fallback=(MAIL_DOMAIN,) if kind == "verify" else ()),
        )
        for start in range(0, len(items), size)
    ]
