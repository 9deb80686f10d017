"""What one source of leads brings: its place in a campaign file, its units, and the provider it needs.

A source is one object of this class, found through the entry-point group ``marketing_agents.lead_sources``; built-in
and foreign ones come the same way. Invariant: ``units`` is pure and deterministic, because a unit's key is its identity
in the ledger; the outside world is reached in the ``run`` of the source's kinds only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from agents.config import SourceConfig, TargetAudience
from agents.unit import StageResult, Unit
from agents.unit_kind import AnyKind

if TYPE_CHECKING:
    from agents.lead_files.lead_file import LeadFile
    from integrations.provider_specs import ProviderSpec
    from integrations.sandbox.protocol import SandboxProvider

C = TypeVar("C", bound=SourceConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadSource(Generic[C]):
    """One source of leads."""

    name: str  #: its ``type`` in a campaign file and the name of its entry point; compatibility data
    title: str  #: for people
    config: type[C]  #: its keys in a campaign file; ``type`` is ``Literal[name]``
    kinds: Sequence[AnyKind]  #: what its units can be; each output is an :class:`agents.lead_generation.answers.Answer`
    units: Callable[[C, TargetAudience], Sequence[Unit]]  #: the units that begin the search; equal keys are one unit
    follow_up: Callable[[StageResult], Sequence[Unit]] | None = None  #: what the finished first units lead to
    providers: Sequence[str] = ()  #: providers whose keys the source can't do without
    chosen_providers: Callable[[C], Sequence[str]] | None = None  #: those of one entry, where its keys choose them
    provider: ProviderSpec | None = None  #: address and keys of a provider that the source brings along
    #: (content, name, headers by field) of a file that the config names
    parse_file: Callable[[bytes, str, Mapping[str, str]], LeadFile] | None = None
    max_file_bytes: int = 0  #: the largest file that it takes
    sandbox: Callable[[], SandboxProvider] | None = None  #: makes that provider's half of the sandbox world

    def needs(self, config: C) -> Sequence[str]:
        """Return the providers whose keys one entry of a campaign file can't do without."""
        return (*self.providers, *(self.chosen_providers(config) if self.chosen_providers else ()))


AnySource = LeadSource[Any]
