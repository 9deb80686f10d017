"""Typed units: what a unit of one kind is given, what it answers, and the function that does it.

The ledger stores input and result as JSON; the agent that planned a unit reads both back through its kind, so that
nobody looks keys up in a dictionary. Invariant: a unit of a kind is planned, run and read through the same pair of
models, and a stored input that doesn't fit them is an error that names the unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from agents.unit import StageResult, Unit, UnitResult
from integrations.errors import IntegrationError
from integrations.retry import RetryPolicy

if TYPE_CHECKING:
    from agents.ports import UnitContext


class Part(BaseModel):
    """Base of the inputs and outputs of units: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


I = TypeVar("I", bound=BaseModel)  # noqa: E741 - input
O = TypeVar("O", bound=BaseModel)  # noqa: E741 - output
DEFAULT_POLICY = RetryPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitKind(Generic[I, O]):
    """One kind of unit of an agent."""

    name: str  #: stored with the unit; compatibility data
    input: type[I]
    output: type[O]
    run: Callable[[I, UnitContext], O]  #: do it once; raises IntegrationError
    #: of an effect that fails for good: take off what it has made; returns the error that tells of it
    undo: Callable[[I, IntegrationError, UnitContext], IntegrationError] | None = None

    def unit(
        self,
        key: str,
        given: I,
        *,
        provider: str,
        effect_key: str | None = None,
        essential: bool = True,
        policy: RetryPolicy = DEFAULT_POLICY,
    ) -> Unit:
        """Plan a unit of this kind, with the arguments of :class:`agents.unit.Unit`."""
        return Unit(
            key=key,
            kind=self.name,
            provider=provider,
            input=given.model_dump(mode="json"),
            effect_key=effect_key,
            essential=essential,
            policy=policy,
        )

    def execute(self, unit: Unit, ctx: UnitContext) -> Mapping[str, object]:
        """Run ``unit`` once and return its JSON result.

        Raises IntegrationError.
        """
        return self.run(self.input.model_validate(unit.input), ctx).model_dump(mode="json")

    def undone(self, unit: Unit, error: IntegrationError, ctx: UnitContext) -> IntegrationError:
        """Take off what ``unit`` has made before it fails with ``error``, and return what it fails with.

        Raises IntegrationError when that can't be done now.
        """
        return error if self.undo is None else self.undo(self.input.model_validate(unit.input), error, ctx)

    def given(self, unit: Unit) -> I:
        """Read what a unit of this kind was given."""
        return self.input.model_validate(unit.input)

    def answer(self, result: UnitResult) -> O | None:
        """Read the answer of a unit of this kind, or return None when it did not succeed."""
        return self.output.model_validate(result.output or {}) if result.ok else None

    def answers(self, stages: Iterable[StageResult]) -> list[tuple[I, O]]:
        """Read input and answer of each unit of this kind that succeeded, in the order of planning."""
        return [
            (self.given(result.unit), self.output.model_validate(result.output or {}))
            for stage in stages
            for result in stage.results
            if result.ok and result.unit.kind == self.name
        ]


AnyKind = UnitKind[Any, Any]


def kinds(*listed: AnyKind) -> Mapping[str, AnyKind]:
    """Index unit kinds by their names."""
    return {kind.name: kind for kind in listed}
