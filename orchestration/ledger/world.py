"""World of a database, sandbox or live: read, demanded of a process, changed.

The first migration writes it into the one row of ``marketing.world``; each campaign's row has it too, for good.
Invariants: a process whose MARKETING_MODE is not the database's reads and does nothing else; unfinished campaigns are
always of the database's world, because whatever begins or revives one looks at that row under a lock that a change of
the world takes alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from integrations.settings import Mode
from orchestration.ledger.database import Database, Transaction, encode

CHANGED = "world_changed"  #: the event in the fleet's history

_READ = "SELECT mode, since, by FROM marketing.world"
_UNFINISHED = (
    "SELECT count(*) FROM marketing.campaigns WHERE mode <> %s AND status NOT IN ('completed', 'failed', 'cancelled')"
)


class WrongWorldError(ValueError):
    """Raised when a process, or a change of the world, doesn't fit the world that the database says it is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldRow:
    """What a database says about its world."""

    mode: Mode
    since: datetime
    by: str  #: who made it so: ``migrate``, or the person who changed it


@dataclass(frozen=True, slots=True)
class World:
    """World of one database, as a process of ``mode`` sees it."""

    database: Database
    mode: Mode  #: MARKETING_MODE of this process

    def read(self) -> WorldRow:
        """Return what the database says."""
        mode, since, by = self.database.rows(_READ)[0]
        return WorldRow(mode=Mode(mode), since=since, by=by)

    def require(self) -> Mode:
        """Return the database's mode, which is this process's too.

        Raises WrongWorldError when it is not.
        """
        found = self.read().mode
        if found is not self.mode:
            raise mismatch(found, self.mode)
        return found

    def unfinished(self, mode: Mode) -> int:
        """Return how many campaigns are in the way of a change to ``mode``."""
        return int(self.database.value(_UNFINISHED, mode))

    def change(self, mode: Mode, *, actor: str) -> bool:
        """Make the database one of ``mode``, with an event in the fleet's history, and return False when it is already.

        What has ended keeps the mode that it had. Raises WrongWorldError while campaigns of another world are
        unfinished.
        """

        def write(tx: Transaction) -> bool:
            # Nothing is submitted, forked or revived between the count and the change.
            tx.run("LOCK TABLE marketing.campaigns IN EXCLUSIVE MODE")
            old = Mode(tx.value("SELECT mode FROM marketing.world FOR UPDATE"))
            if old is mode:
                return False
            number = int(tx.value(_UNFINISHED, mode))
            if number:
                raise WrongWorldError(in_the_way(number, old))
            tx.run("UPDATE marketing.world SET mode = %s, since = now(), by = %s", mode, actor)
            told = encode({"from": old, "to": mode})
            sql = "INSERT INTO marketing.fleet_events (kind, actor, data) VALUES (%s, %s, %s)"
            tx.run(sql, CHANGED, actor, told)
            return True

        return self.database.transaction(write)


def mismatch(database: Mode, process: Mode) -> WrongWorldError:
    """Return the refusal of a process whose mode is not the database's."""
    return WrongWorldError(
        f"this database is {database}, and MARKETING_MODE here is {process}: "
        f"set MARKETING_MODE={database} to work with it"
    )


def in_the_way(number: int, mode: Mode) -> str:
    """Say why a database of ``mode`` can't change its world yet."""
    some = f"{number} {mode} campaigns are" if number != 1 else f"1 {mode} campaign is"
    return f"{some} unfinished: let them end, or cancel them (`campaigns list`), before this database leaves {mode}"
