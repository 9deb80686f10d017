"""Register of the customer lists that campaigns have at ad platforms, and of who has to be taken off them.

An address leaves a list in two steps: who erases it writes down here, in the transaction that removes the person from
the campaign, by which form each platform knows them; whoever comes next tells the platforms
(:mod:`orchestration.execution.list_removals`). Invariant: what was asked while a batch was on its way to a list stays
written down until no batch is, so that a member who arrives late is taken off after all. It holds by the order: a list
is registered, then marked as being filled, then the suppression list is asked, then the batch is sent; an erasure puts
the address on the suppression list before it asks for the removal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.ads.registry import platforms
from orchestration.ledger.database import Database, Transaction
from orchestration.stores.attempts import NEXT_ATTEMPT

WHOLE = ""  #: in the place of a member: the list goes
FILLING_S = 600.0  #: seconds after which a batch has surely arrived, or never will
BATCH = 1000  #: removals of one look


class CampaignLists:
    """Customer lists of one campaign, as :class:`agents.ports.CustomerLists` has them."""

    def __init__(self, database: Database, campaign_id: str) -> None:
        self._database = database
        self._campaign_id = campaign_id

    def opened(self, platform: str, list_id: str) -> None:
        """Record that the campaign has a list, before it has members."""
        self._database.run(
            "INSERT INTO marketing.customer_lists (platform, list_id, campaign_id) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            platform, list_id, self._campaign_id,
        )  # fmt: skip

    def filling(self, platform: str, list_id: str) -> None:
        """Record that a batch is under way."""
        self._database.run(
            "UPDATE marketing.customer_lists SET filling_until = now() + make_interval(secs => %s) "
            "WHERE platform = %s AND list_id = %s",
            FILLING_S, platform, list_id,
        )  # fmt: skip

    def filled(self, platform: str, list_id: str) -> None:
        """Record that no batch is under way any more."""
        self._database.run(
            "UPDATE marketing.customer_lists SET filling_until = NULL WHERE platform = %s AND list_id = %s",
            platform, list_id,
        )  # fmt: skip

    def closed(self, platform: str, list_id: str) -> None:
        """Forget a list that is gone, and who had to be taken off it."""
        _forget(self._database, platform, list_id)


def ask_removal(tx: Transaction, campaign_id: str, addresses: Sequence[str]) -> None:
    """Write down that people have to be taken off a campaign's lists."""
    for platform, list_id in _lists(tx, campaign_id):
        spec = platforms().get(platform)
        if spec is not None and spec.audiences is not None:
            _ask(tx, platform, list_id, sorted({spec.audiences.member(address) for address in addresses}))


def ask_deletion(tx: Transaction, campaign_id: str) -> None:
    """Write down that a campaign's lists have to go."""
    for platform, list_id in _lists(tx, campaign_id):
        _ask(tx, platform, list_id, [WHOLE])


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Members who have to be taken off one list now."""

    platform: str
    list_id: str
    members: tuple[str, ...]  #: :data:`WHOLE` alone: the list has to go
    filling: bool  #: more may arrive there yet

    @property
    def whole(self) -> bool:
        """Whether the list has to go."""
        return self.members == (WHOLE,)


class RemovalBook:
    """Removals that one database has written down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self) -> list[Due]:
        """Return what is due, by list, which is not due again for a time that grows with each attempt."""
        rows = self._database.rows(
            "UPDATE marketing.list_removals r SET attempts = attempts + 1, "
            f"due_at = {NEXT_ATTEMPT} "
            "FROM (SELECT platform, list_id, member FROM marketing.list_removals WHERE due_at <= now() "
            "ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) AS d "
            "WHERE (r.platform, r.list_id, r.member) = (d.platform, d.list_id, d.member) "
            "RETURNING r.platform, r.list_id, r.member, EXISTS (SELECT FROM marketing.customer_lists l "
            "WHERE (l.platform, l.list_id) = (r.platform, r.list_id) AND l.filling_until > now())",
            BATCH,
        )  # fmt: skip
        found: dict[tuple[str, str], tuple[set[str], bool]] = {}
        for platform, list_id, member, filling in rows:
            members, _ = found.setdefault((str(platform), str(list_id)), (set(), bool(filling)))
            members.add(str(member))
        return [
            Due(
                platform=platform,
                list_id=list_id,
                members=(WHOLE,) if WHOLE in members else tuple(sorted(members)),
                filling=filling,
            )
            for (platform, list_id), (members, filling) in sorted(found.items())
        ]

    def done(self, due: Due) -> None:
        """Strike out what the platform has done, unless more may arrive there yet."""
        if due.whole:
            _forget(self._database, due.platform, due.list_id)
        elif not due.filling:
            self._database.run(
                "DELETE FROM marketing.list_removals WHERE platform = %s AND list_id = %s AND member = ANY(%s)",
                due.platform, due.list_id, list(due.members),
            )  # fmt: skip

    def failed(self, due: Due, reason: str) -> None:
        """Write down why it could not be done this time."""
        self._database.run(
            "UPDATE marketing.list_removals SET error = %s WHERE platform = %s AND list_id = %s AND member = ANY(%s)",
            reason[:500], due.platform, due.list_id, list(due.members),
        )  # fmt: skip

    def left(self) -> dict[str, str]:
        """Return the platforms at which something has still to be done, each with why it failed last, or ""."""
        rows = self._database.rows(
            "SELECT platform, coalesce(max(error), '') FROM marketing.list_removals GROUP BY platform ORDER BY platform"
        )
        return {str(platform): str(error) for platform, error in rows}


def _forget(database: Database, platform: str, list_id: str) -> None:
    for table in ("list_removals", "customer_lists"):
        database.run(f"DELETE FROM marketing.{table} WHERE platform = %s AND list_id = %s", platform, list_id)


def _lists(tx: Transaction, campaign_id: str) -> list[tuple[str, str]]:
    sql = "SELECT platform, list_id FROM marketing.customer_lists WHERE campaign_id = %s ORDER BY 1, 2"
    return [(str(platform), str(list_id)) for platform, list_id in tx.rows(sql, campaign_id)]


def _ask(tx: Transaction, platform: str, list_id: str, members: Sequence[str]) -> None:
    tx.run(
        "INSERT INTO marketing.list_removals (platform, list_id, member) SELECT %s, %s, m FROM unnest(%s::text[]) AS m "
        "ON CONFLICT (platform, list_id, member) DO UPDATE SET due_at = now(), attempts = 0",
        platform, list_id, list(members),
    )  # fmt: skip
