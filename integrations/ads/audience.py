"""What every platform that takes customer lists can do: a list of people by hashes of their addresses.

A customer list (Facebook: custom audience, LinkedIn: DMP segment, Google: customer match list) says to whom ads are
shown, or to whom they are not. Invariants: an address leaves this project hashed only, in the form that each platform
documents (:attr:`AudienceSpec.member`); each wire call goes through the :class:`Wire` it is given; a list carries the
effect key in its name and is looked up there before it is made; adding and removing members may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from integrations.ads.platform import Wire
    from integrations.ads.spec import PlatformSpec
    from integrations.settings import Settings


class ListUse(StrEnum):
    """What a customer list is for."""

    TARGET = "target"  #: the ads are shown to the people on it, and to nobody else
    EXCLUDE = "exclude"  #: the ads are not shown to them
    LOOKALIKE = "lookalike"  #: the ads are shown to people who are like them, and not to them


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTerms:
    """What a platform has to be told of where the people on a list come from."""

    found: bool = False  #: some come from public sources or providers, not from the advertiser itself
    consented: bool = False  #: all have agreed to advertising by their data


class AudienceTarget(Protocol):
    """Customer lists on one platform, whose methods raise IntegrationError only.

    ``members`` are addresses in the platform's own form (:attr:`AudienceSpec.member`), at most
    :attr:`AudienceSpec.batch` of them in one call.
    """

    name: str

    def find_by_key(self, effect_key: str, *, wire: Wire) -> str | None:
        """Return the id of the list whose name carries ``effect_key`` (the oldest one), None without one."""
        ...

    def create(self, name: str, effect_key: str, terms: ListTerms, *, wire: Wire) -> str:
        """Create an empty list by one wire call, the last that it makes, and return its id."""
        ...

    def reference(self, list_id: str, *, wire: Wire) -> str | None:
        """Return by which name ads can be aimed at the list, None while the platform is still at work on it.

        Raises NotFoundError when the list is gone, NeedsAttentionError when the platform won't let it be used.
        """
        ...

    def add(self, list_id: str, members: Sequence[str], terms: ListTerms, *, wire: Wire) -> None:
        """Put members on the list by one wire call, the last that it makes."""
        ...

    def remove(self, list_id: str, members: Sequence[str], *, wire: Wire) -> None:
        """Take members off the list, which may not be on it, or the list may be gone.

        Where the platform lets nobody leave a list like this one, the whole list goes.
        """
        ...

    def delete(self, list_id: str, *, wire: Wire) -> None:
        """Take the whole list off the account, however often that is repeated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceSpec:
    """What is known of one platform's customer lists, without importing its client."""

    member: Callable[[str], str]  #: an address -> its form there: normalised as the platform documents, then hashed
    batch: int  #: members of one call, at most
    least: int  #: members below which the platform shows no ads to a list
    settle_s: float = 0.0  #: seconds from the creation of a list to the first members
    lookalike_least: int = 0  #: people on a list below which no lookalike audience is made of it; 0: it makes none
    no_lookalike: str = "makes no lookalike audiences in this version"  #: why it makes none, after the platform's title
    needs: tuple[str, ...] = ()  #: options of the platform's provider, without which no list can be made
    client: Callable[[Settings], AudienceTarget]


def list_problem(spec: PlatformSpec, options: Mapping[str, str]) -> str | None:
    """Return why a platform with these provider ``options`` takes no customer lists, None when it does."""
    if spec.audiences is None:
        return f"{spec.title} has no customer lists in this version"
    lacking = [name for name in spec.audiences.needs if not options.get(name)]
    known = spec.provider.options if spec.provider is not None else {}
    variables = ", ".join(known[name].variable for name in lacking if name in known)
    return f"customer lists at {spec.title} need {variables} in the environment" if lacking else None
