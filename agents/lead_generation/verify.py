"""Units that check addresses: whether a mail domain takes mail, and whether a mailbox exists.

Invariant: while the verifier can't be reached, what the DNS said of the domain has to do, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from agents.chunks import chunks
from agents.config import Enrichment
from agents.fallbacks import MAIL_DOMAIN, OPTIONAL_WAIT_S
from agents.lead_generation.answers import Answer
from agents.lead_generation.clean import Candidate, identity
from agents.lead_generation.paid import ASKS, PENDING_S, more_rounds, paid_once
from agents.lead_generation.waterfall import wanted_first
from agents.unit import Unit, short_hash
from agents.unit_kind import Part, UnitKind
from integrations.errors import StillWorkingError, TransientError
from integrations.hunter import PENDING, SMTP_FAILED, Verification
from integrations.retry import RetryPolicy

if TYPE_CHECKING:
    from agents.ports import UnitContext

CHUNK = 10  #: paid verifications of one unit
DNS_CHUNK = 25  #: mail domains of one unit
SMTP_RETRY_S = 60.0  #: wait before a mail server that failed is asked again; many are ready for a second try then
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
    domains = sorted({_mail_domain(email) for found in candidates for email in found.emails})
    policy = RetryPolicy(max_wait_s=OPTIONAL_WAIT_S)
    return [
        RESOLVE.unit(
            f"resolve:{number:04d}", ResolveInput(domains=part), provider="dns", essential=False, policy=policy
        )
        for number, part in chunks(domains, DNS_CHUNK)
    ]


def verify_units(
    candidates: Sequence[Candidate],
    wanted: Enrichment,
    refused: Iterable[str],
    spent: int,
    titles: Sequence[str] = (),
) -> list[Unit]:
    """Plan the verification of addresses whose domain takes mail, after ``spent`` paid look-ups.

    Addresses of people with the ``titles`` asked for, else of executives, come first.
    """
    if wanted.verify != "hunter":
        return []
    closed = frozenset(refused)
    open_to_mail = (
        next((email for email in found.emails if _mail_domain(email) not in closed), None)
        for found in wanted_first(candidates, titles)
    )
    emails = [*dict.fromkeys(email for email in open_to_mail if email)]
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

    What has no verdict yet, because Hunter is still busy or the mail server failed, is asked for again in later tries,
    and counts as unknown in the end. Raises StillWorkingError with Hunter's delay while there are rounds left.
    """
    statuses: dict[str, str] = {}
    failed: list[str] = []
    objected = ctx.suppression.suppressed(given.emails)  # maybe since the address was found
    barred = {identity(email) for email in objected}
    running = [email for email in given.emails if email not in objected]
    if ctx.fallback == MAIL_DOMAIN:
        unverified = dict.fromkeys(running, "unknown")
        return VerifyAnswer(emails=unverified, suppressed=tuple(sorted(barred)), verified_by=MAIL_DOMAIN)
    for _ in range(ASKS):
        asked, running = running, []
        for email in asked:
            found = _verification(ctx, email)
            if found.status == PENDING:
                running.append(email)
            elif found.status == SMTP_FAILED:
                failed.append(email)
            elif found.suppressed:
                ctx.suppression.suppress(email, "objected, says hunter")
                barred.add(identity(email))
            else:
                statuses[email] = found.status
    waiting = [*running, *failed]
    if waiting and more_rounds(ctx):
        delay_s = PENDING_S if running else SMTP_RETRY_S
        raise StillWorkingError("hunter", f"{len(waiting)} verifications have no verdict yet", retry_after=delay_s)
    return VerifyAnswer(emails={**statuses, **dict.fromkeys(waiting, "unknown")}, suppressed=tuple(sorted(barred)))


RESOLVE = UnitKind(name="resolve", input=ResolveInput, output=ResolveAnswer, run=run_resolve)
VERIFY = UnitKind(name="verify", input=VerifyInput, output=VerifyAnswer, run=run_verify)


def _mail_status(ctx: UnitContext, domain: str) -> str:
    dns = ctx.providers.dns
    return ctx.call("dns", lambda timeout: dns.mail_domain(domain, timeout=timeout)).status


def _verification(ctx: UnitContext, email: str) -> Verification:
    """Return what Hunter says about an address, where an answer without a verdict costs nothing."""
    hunter = ctx.providers.hunter
    return paid_once(
        ctx,
        "hunter",
        f"verify.{short_hash(email)}",
        VERDICT,
        lambda timeout: hunter.verify(email, timeout=timeout),
        final=lambda found: found.status not in (PENDING, SMTP_FAILED),
    )


def _mail_domain(email: str) -> str:
    return email.rpartition("@")[2]
