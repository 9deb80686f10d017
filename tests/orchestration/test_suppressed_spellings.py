"""A mailbox that is suppressed stays out, and leaves, under every spelling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from orchestrator_harness import Harness
from toys import toys

from agents.email_address import mailbox_hash
from agents.lead_generation.clean import record_of
from agents.lead_generation.screen import hashes_of
from integrations.address_hash import address_hash
from orchestration.ledger.database import encode
from orchestration.ledger.erasure import without_erased
from orchestration.stores.suppression import SuppressionList

ASKED = "Kim.Lo@gmail.com"
SPELLINGS = ["kimlo@gmail.com", "KIM.LO@gmail.com", "k.i.m.l.o+shop@googlemail.com", "kimlo+x@gmail.com"]
OTHERS = ["kimlo2@gmail.com", "kim.lo@acme.example", "xkimlo@gmail.com", "kimlo@gmail.com.au"]


@pytest.fixture
def one(database_url: str) -> Iterator[Harness]:
    harness = Harness(database_url, toys(stages=(2, 1)))
    yield harness
    harness.close()


def lead(email: str) -> dict[str, Any]:
    return {"email": email, "name": f"N {address_hash(email)[:6]}"}


def test_the_list_is_asked_by_mailbox(one: Harness) -> None:
    listed = SuppressionList(one.database)
    listed.suppress(ASKED, "asked")
    assert listed.suppressed([*SPELLINGS, *OTHERS]) == set(SPELLINGS)
    kept = {email for email in (*SPELLINGS, *OTHERS) if not listed.barred(hashes_of(record_of({"email": email}, "x")))}
    assert kept == {*SPELLINGS, *OTHERS}, "of an address alone the mailbox is asked for, by suppressed()"


def test_who_was_suppressed_by_the_address_alone_stays_out(one: Harness) -> None:
    sql = "INSERT INTO marketing.suppressions (address_hash, reason) VALUES (%s, 'long ago')"
    one.database.run(sql, address_hash("kim.lo+x@acme.example"))
    listed = SuppressionList(one.database)
    assert listed.suppressed(["kim.lo+x@acme.example", "kim.lo@acme.example"]) == {"kim.lo+x@acme.example"}
    assert not listed.erase("kim.lo+x@acme.example", "again").newly_suppressed
    assert listed.suppressed(["kim.lo@acme.example"]) == {"kim.lo@acme.example"}


def test_an_erasure_finds_every_spelling_and_nobody_else(one: Harness) -> None:
    one.submit()
    rows = [lead(email) for email in (*SPELLINGS, *OTHERS)]
    sql = "UPDATE marketing.campaigns SET leads = %s, hold = %s"
    one.database.run(sql, encode(rows), encode({"kind": f"to <{SPELLINGS[2]}>, or {OTHERS[1]}"}))
    removed = SuppressionList(one.database).erase(ASKED, "asked")
    assert removed.rows == {"campaigns": 1}
    left, hold = one.database.rows("SELECT leads, hold FROM marketing.campaigns")[0]
    assert [row["email"] for row in left] == OTHERS
    assert hold == {"kind": f"to <[erased]>, or {OTHERS[1]}"}


def test_an_other_address_of_a_lead_is_theirs_too(one: Harness) -> None:
    one.submit()
    row = {**lead("kim@acme.example"), "other_emails": [SPELLINGS[2]]}
    one.database.run("UPDATE marketing.campaigns SET leads = %s", encode([row, lead("ann@acme.example")]))
    SuppressionList(one.database).erase(ASKED, "asked")
    (left,) = one.database.rows("SELECT leads FROM marketing.campaigns")[0]
    assert [row["email"] for row in left] == ["ann@acme.example"]


@pytest.mark.parametrize("email", SPELLINGS)
def test_what_is_stored_afterwards_is_stored_without_them(one: Harness, email: str) -> None:
    one.submit()
    SuppressionList(one.database).suppress(ASKED, "asked")
    kept = one.database.transaction(
        lambda tx: without_erased(tx, [lead(email), lead(OTHERS[0])], lambda people, value: people.records(value))
    )
    assert email not in kept
    assert OTHERS[0] in kept


def test_a_customer_list_is_keyed_by_what_the_list_knows(one: Harness) -> None:
    listed = SuppressionList(one.database)
    listed.suppress(ASKED, "asked")
    assert all(listed.barred({mailbox_hash(email)}) for email in SPELLINGS)
    assert not any(listed.barred({mailbox_hash(email)}) for email in OTHERS)
