"""Removal of people from the places that leads were put at, as erasures have written it down.

Any process may carry it out, at any time and side by side with others: to take a person off twice does no harm.
Each call is admitted like those of units. Invariant: what a place has not confirmed stays written down.
"""

from __future__ import annotations

from integrations.errors import IntegrationError
from orchestration.execution.context import Resources
from orchestration.execution.removal_calls import removal_wire
from orchestration.stores.deliveries import Leaving, LeavingBook


def take_off_places(resources: Resources) -> int:
    """Tell the places who is due, and return how many leads they have taken off."""
    book = LeavingBook(resources.database)
    return sum(_taken_off(one, book, resources) for one in book.take())


def _taken_off(one: Leaving, book: LeavingBook, resources: Resources) -> bool:
    try:
        place = resources.providers.place(one.target)
        place.remove(one.lead, path=one.path, wire=removal_wire(resources, one.target))
    except IntegrationError as error:
        book.failed(one, str(error))
        return False
    book.done(one)
    return True
