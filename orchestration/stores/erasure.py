"""Removal of one person from every column of every table.

Every text and JSON column of the schema is looked at, also those of tables that are added later. A campaign is changed
in one transaction under its row's lock, and its revision goes up: a transition that was decided from what it was before
is refused. Invariant: the person is on the suppression list before, so that nothing that is stored from then on holds
the address, and what is found here is all that there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from secrets import token_hex

from pydantic import JsonValue

from agents.email_address import address_hashes, spellings
from agents.erasure import ERASED, Erasing
from orchestration.ledger.database import Database, Transaction, encode
from orchestration.stores.customer_lists import ask_removal
from orchestration.stores.deliveries import Found, ask_forgetting
from orchestration.stores.exclusions import forget_exclusions
from orchestration.stores.outcomes import unlink

#: Columns of people and of what units were given and have brought: whole records leave them. Any other value is kept
#: but for the address in it.
_RECORDS = frozenset(
    {
        ("campaigns", "leads"), ("campaigns", "qualified_leads"), ("units", "input"), ("units", "result"),
        ("lead_files", "rows"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What an erasure has found and removed."""

    rows: Mapping[str, int]  #: table -> rows that held something of the person
    campaigns: tuple[str, ...]  #: ids of those that knew the person
    newly_suppressed: bool  #: False: the address was on the suppression list already
    lists: int = 0  #: customer lists at ad platforms that were told, some of which may have had the person
    #: platforms whose customer lists may still hold the person: why that could not be changed, or ""
    lists_left: Mapping[str, str] = field(default_factory=dict)
    places: int = 0  #: leads that were taken off places where campaigns had put them
    #: providers of places that may still hold the person: why that could not be changed, or ""
    places_left: Mapping[str, str] = field(default_factory=dict)
    #: providers of places that had the person before a campaign did, and keep them
    places_stay: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether anything was stored about the person."""
        return bool(self.rows)


@dataclass(frozen=True, slots=True)
class _Table:
    """Columns of one table that may hold a person."""

    name: str
    json: tuple[str, ...]
    text: tuple[str, ...]
    unique: frozenset[str]  #: those of ``text`` in which no two rows may hold the same
    of_campaign: bool


class Erasure:
    """Removal of the person with one address from one database."""

    def __init__(self, database: Database, email: str) -> None:
        self._database = database
        self._email = email.strip().lower()
        self._written = spellings(self._email)  #: what rows that hold the address match, in any of its spellings
        self._removed: Counter[str] = Counter()
        self.identities: set[str] = set()  #: hashes of what else names the person, as far as their records told

    def carry_out(self, *, new: bool) -> Removed:
        """Remove the person, whose address is ``new`` on the list or was there before, and return what was removed."""
        tables = self._tables()
        campaigns: set[str] = set()
        placed: set[Found] = set()
        for table in tables:
            if table.of_campaign:
                sql = f"SELECT DISTINCT campaign_id FROM marketing.{table.name} t WHERE {_HOLDS}"
                campaigns |= {str(row[0]) for row in self._database.rows(sql, [], self._written)}
        for campaign_id in sorted(campaigns):
            found, gone = self._database.transaction(partial(self._campaign, tables=tables, campaign_id=campaign_id))
            self._removed.update(found)
            placed.update(gone)
        for table in (one for one in tables if not one.of_campaign):
            sweep = partial(_sweep, table=table, people=self._people(), written=self._written)
            self._removed.update({table.name: self._database.transaction(sweep)})
        # Of campaigns that hold nothing of the person any more, too: those whose retention is over.
        placed |= {*self._database.transaction(partial(ask_forgetting, hashes=address_hashes(self._email)))}
        self._removed.update({"deliveries": len(placed)})
        rows = {name: count for name, count in sorted(self._removed.items()) if count}
        stays = {one.target for one in placed if one.stays} - {one.target for one in placed if not one.stays}
        return Removed(
            rows=rows,
            campaigns=tuple(sorted(campaigns)),
            newly_suppressed=new,
            places_stay=tuple(sorted(stays)),
        )

    def _people(self) -> Erasing:
        return Erasing(frozenset(address_hashes(self._email)))

    def _campaign(
        self, tx: Transaction, tables: Sequence[_Table], campaign_id: str
    ) -> tuple[Mapping[str, int], Sequence[Found]]:
        """Remove the person from all rows of one campaign, under any other name that its records give, too."""
        people, mine = self._people(), [table for table in tables if table.of_campaign]
        # The units before their campaign's row, in the order in which a finish takes them.
        sweep = partial(_sweep, tx, people=people, campaign_id=campaign_id)
        found = Counter({table.name: sweep(table, written=self._written) for table in mine})
        locked = tx.rows(
            "UPDATE marketing.campaigns SET revision = revision + 1 WHERE campaign_id = %s RETURNING step, agent",
            campaign_id,
        )
        if people.names:
            found.update({table.name: sweep(table, words=sorted(people.names)) for table in mine})
        addresses = [self._email, *sorted(people.addresses)]
        ask_removal(tx, campaign_id, addresses)
        hashes = people.identities.union(*map(address_hashes, addresses))
        gone = ask_forgetting(tx, hashes, campaign_id)
        forget_exclusions(tx, campaign_id, hashes)
        found["outcomes"] += unlink(tx, campaign_id, sorted(people.leads))
        self.identities |= people.identities
        for step, agent in locked:
            tx.run(
                "INSERT INTO marketing.events (campaign_id, kind, step, agent, data) "
                "VALUES (%s, 'person_erased', %s, %s, %s)",
                campaign_id, step, agent, encode({"rows": found.total()}),
            )  # fmt: skip
        return found, gone

    def _tables(self) -> list[_Table]:
        columns: dict[str, list[tuple[str, str, bool]]] = {}
        for table, column, kind, unique in self._database.rows(_COLUMNS):
            columns.setdefault(str(table), []).append((str(column), str(kind), bool(unique)))
        return [
            _Table(
                name=table,
                json=tuple(column for column, kind, _ in found if kind == "jsonb"),
                text=tuple(column for column, kind, _ in found if kind == "text" and column != "campaign_id"),
                unique=frozenset(column for column, _, unique in found if unique),
                of_campaign=any(column == "campaign_id" for column, _, _ in found),
            )
            for table, found in columns.items()
            if any(column != "campaign_id" for column, _, _ in found)
        ]


#: Columns of the schema that may hold a person, by table: (table, column, type, whether an index makes it unique).
_COLUMNS = """
SELECT c.relname, a.attname, a.atttypid::regtype::text,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = 'marketing' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  AND a.atttypid::regtype::text IN ('jsonb', 'text')
ORDER BY c.relname <> 'units', c.relname, a.attnum
"""
#: Whether a row, decoded, holds any of some texts, or what a regular expression describes, in whichever case.
_HOLDS = """(EXISTS (SELECT FROM unnest(%s::text[]) AS w(word) WHERE position(lower(w.word) IN lower(t::text)) > 0)
OR lower(t::text) ~ %s)"""
_NOTHING = "$a"  #: a regular expression that nothing matches


def _sweep(
    tx: Transaction,
    table: _Table,
    people: Erasing,
    *,
    words: Sequence[str] = (),
    written: str = _NOTHING,
    campaign_id: str | None = None,
) -> int:
    """Remove people from the rows of a table (of one campaign) and return from how many.

    Looked at are rows that hold any of the ``words``, or that the regular expression ``written`` matches.
    """
    names = (*table.json, *table.text)
    where, of = ("campaign_id = %s AND ", (campaign_id,)) if table.of_campaign else ("", ())
    rows = tx.rows(
        f"SELECT ctid::text, {', '.join(names)} FROM marketing.{table.name} t WHERE {where}{_HOLDS} FOR UPDATE",
        *of, list(words), written,
    )  # fmt: skip
    swept = 0
    for place, *values in rows:
        old = dict(zip(names, values, strict=True))
        new = {name: _without(table, name, value, people) for name, value in old.items() if value is not None}
        changed = {name: value for name, value in new.items() if value != old[name]}
        if changed:
            _write(tx, table, str(place), changed)
            swept += 1
    return swept


def _without(table: _Table, column: str, value: JsonValue, people: Erasing) -> JsonValue:
    if column in table.text:
        left = people.text(f" {value} ")[1:-1]  # no string of JSON: a file may be named after an address
        return left.replace(ERASED, f"[erased {token_hex(4)}]") if left != value and column in table.unique else left
    if (table.name, column) in _RECORDS:
        return people.records(value)
    return people.journal(value) if (table.name, column) == ("units", "journal") else people.state(value)


def _write(tx: Transaction, table: _Table, place: str, changed: Mapping[str, JsonValue]) -> None:
    if table.name == "campaigns":
        # A list that only the row holds stays there: no checkpoint shall get the list that it replaces.
        in_row = tx.value("SELECT in_row::text FROM marketing.campaigns WHERE ctid = %s::tid", place)
        if in_row is not None:
            sql = "UPDATE marketing.campaigns SET in_row = NULL WHERE ctid = %s::tid RETURNING ctid::text"
            place = str(tx.value(sql, place))
            changed = {**changed, "in_row": in_row}
    columns = ", ".join(f"{name} = %s" for name in changed)
    values: Iterable[object] = (
        encode(value) if name in table.json and name != "in_row" else value for name, value in changed.items()
    )
    tx.run(f"UPDATE marketing.{table.name} SET {columns} WHERE ctid = %s::tid", *values, place)
