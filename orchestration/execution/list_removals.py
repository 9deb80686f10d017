"""Removal of people from customer lists at ad platforms, as erasures and retention have written it down.

Any process may carry it out, at any time and side by side with others: taking somebody off a list twice does nothing.
Each call is admitted like those of units. Invariant: what a platform has not confirmed stays written down.
"""

from __future__ import annotations

from agents.chunks import chunks
from integrations.ads.registry import platforms
from integrations.errors import IntegrationError
from orchestration.execution.context import Resources
from orchestration.execution.removal_calls import removal_wire
from orchestration.stores.customer_lists import Due, RemovalBook


def remove_listed(resources: Resources) -> int:
    """Tell the platforms what is due, and return at how many lists they have done it."""
    book = RemovalBook(resources.database)
    return sum(_removed(due, book, resources) for due in book.take())


def _removed(due: Due, book: RemovalBook, resources: Resources) -> bool:
    try:
        audiences, wire = resources.providers.audiences(due.platform), removal_wire(resources, due.platform)
        spec = platforms()[due.platform].audiences
        if due.whole:
            audiences.delete(due.list_id, wire=wire)
        else:
            assert spec is not None, "who has a client has a batch"
            for _, members in chunks(due.members, spec.batch):
                audiences.remove(due.list_id, members, wire=wire)
    except IntegrationError as error:
        book.failed(due, str(error))
        return False
    book.done(due)
    return True
