"""Units that check addresses: whether a mail domain takes mail, and whether a mailbox exists.

Invariant: while the verifier can't be reached, what the DNS said of the domain has to do, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from agents.config import Enrichment
from agents.fallbacks import MAIL_DOMAIN, OPTIONAL_WAIT_S
from agents.lead_generation.answers import Answer
from agents.lead_generation.chunks import chunks
from agents.lead_generation.clean import Candidate, identity
from agents.lead_generation.enrich import executives_first, paid_once
from agents.unit import Unit, short_hash
from agents.unit_kind import Part, UnitKind
from integrations.errors import TransientError
from integrations.hunter import Verification
from integrations.retry import RetryPolicy

if TYPE_CHECKING:
    from agents.ports import UnitContext

CHUNK = 10  #: paid verifications of one unit
DNS_CHUNK = 25  #: mail domains of one unit
ASKS = 3  #: times that a running verification is asked for in one go
MAX_ROUNDS = 3  #: units' tries to see it finished, before it counts as unknown
PENDING_S = 5.0  #: Hunter's own advice for a verification that is still running
PENDING = "pending"
VERDICT = TypeAdapter(Verification)


class ResolveInput(Part):
    """Mail domains to ask the DNS about."""

    domains: tuple[str, ...]


class ResolveAnswer(Answer):
    """Which mail domains take mail."""

    domains: Mapping[str, str]  #: domain -> accepts | refuses | unknown


class VerifyInput(Part):
    """Addresses to verify."""

    emails: tuple[str, ...]


class VerifyAnswer(Answer):
    """Status of addresses."""

    emails: Mapping[str, str]  #: address -> Hunter's verdict
    suppressed: tuple[str, ...] = ()
    verified_by: str | None = None  #: the fallback that answered in Hunter's place

    def barred(self) -> Sequence[str]:
        """Return the identity hashes of people who objected."""
        return self.suppressed


def resolve_units(candidates: Sequence[Candidate], wanted: Enrichment) -> list[Unit]:
    """Plan one question to the DNS per mail domain."""
    if wanted.verify == "none":
        return []
    domains = sorted({_mail_domain(found.record.email) for found in candidates if found.record.email})
    policy = RetryPolicy(max_wait_s=OPTIONAL_WAIT_S)
    return [
        RESOLVE.unit(
            f"resolve:{number:04d}", ResolveInput(domains=part), provider="dns", essential=False, policy=policy
        )
        for number, part in chunks(domains, DNS_CHUNK)
    ]


def verify_units(candidates: Sequence[Candidate], wanted: Enrichment, refused: Iterable[str], spent: int) -> list[Unit]:
    """Plan the verification of addresses whose domain takes mail, after ``spent`` paid look-ups."""
    if wanted.verify != "hunter":
        return []
    closed = frozenset(refused)
    emails = [
        found.record.email
        for found in executives_first(candidates)
        if found.record.email and _mail_domain(found.record.email) not in closed
    ]
    policy = RetryPolicy(max_wait_s=OPTIONAL_WAIT_S, fallback=(MAIL_DOMAIN,))
    return [
        VERIFY.unit(f"verify:{number:04d}", VerifyInput(emails=part), provider="hunter", essential=False, policy=policy)
        for number, part in chunks(emails[: max(0, wanted.max_lookups - spent)], CHUNK)
    ]


def run_resolve(given: ResolveInput, ctx: UnitContext) -> ResolveAnswer:
    """Ask which mail domains take mail.

    Raises TransientError when no question at all was answered.
    """
    found = {domain: _mail_status(ctx, domain) for domain in given.domains}
    if found and all(status == "unknown" for status in found.values()):
        raise TransientError("dns", f"no name server answered about {len(found)} domains")
    return ResolveAnswer(domains=found)


def run_verify(given: VerifyInput, ctx: UnitContext) -> VerifyAnswer:
    """Verify addresses, and put people who objected on the suppression list.

    A verification that Hunter is still busy with is asked for again, here and in later tries, and counts as unknown in
    the end. Raises TransientError with Hunter's delay while there are tries left.
    """
    statuses: dict[str, str] = {}
    objected = ctx.suppression.suppressed(given.emails)  # maybe since the address was found
    barred = {identity(email) for email in objected}
    waiting = [email for email in given.emails if email not in objected]
    if ctx.fallback == MAIL_DOMAIN:
        unverified = dict.fromkeys(waiting, "unknown")
        return VerifyAnswer(emails=unverified, suppressed=tuple(sorted(barred)), verified_by=MAIL_DOMAIN)
    for _ in range(ASKS):
        still: list[str] = []
        for email in waiting:
            found = _verification(ctx, email)
            if found.status == PENDING:
                still.append(email)
            elif found.suppressed:
                ctx.suppression.suppress(email, "objected, says hunter")
                barred.add(identity(email))
            else:
                statuses[email] = found.status
        waiting = still
    rounds = int(ctx.journaled("rounds") or 0) + 1
    if waiting and rounds <= MAX_ROUNDS:
        ctx.journal("rounds", rounds)
        raise TransientError("hunter", f"{len(waiting)} verifications are still running", retry_after=PENDING_S)
    return VerifyAnswer(emails={**statuses, **dict.fromkeys(waiting, "unknown")}, suppressed=tuple(sorted(barred)))


RESOLVE = UnitKind(name="resolve", input=ResolveInput, output=ResolveAnswer, run=run_resolve)
VERIFY = UnitKind(name="verify", input=VerifyInput, output=VerifyAnswer, run=run_verify)


def _mail_status(ctx: UnitContext, domain: str) -> str:
    dns = ctx.providers.dns
    return ctx.call("dns", lambda timeout: dns.mail_domain(domain, timeout=timeout)).status


def _verification(ctx: UnitContext, email: str) -> Verification:
    """Return what Hunter says about an address: "pending" while it is still at it, which costs nothing."""
    hunter = ctx.providers.hunter
    return paid_once(
        ctx,
        f"verify.{short_hash(email)}",
        VERDICT,
        lambda timeout: hunter.verify(email, timeout=timeout),
        final=lambda found: found.status != PENDING,
    )


def _mail_domain(email: str) -> str:
    return email.rpartition("@")[2]
