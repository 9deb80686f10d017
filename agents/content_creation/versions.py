"""Versions of a piece over the stages of a hop, and the next step that the best of them asks for.

The steps are ``adjust_tone`` (tone, guidelines, words), ``optimize_seo`` (what search and readers ask for),
``adjust_length``, each once at most but the last: :data:`LENGTH_ROUNDS` rewrites, then a cut or an addition by whole
sentences. Invariants: pure, from the ledger's outputs, so that a replay plans the same steps; a piece is rewritten at
most 2 + LENGTH_ROUNDS times in a hop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from agents.config import Brand
from agents.content_creation import house_rules
from agents.content_creation.assignments import Assignment
from agents.content_creation.checking import CHECK_BRAND, SCORE, brand_checked
from agents.content_creation.drafts import Draft, better, draft, text_of
from agents.content_creation.units import BrandChecked, CheckBrand, Scored, Write, Written
from agents.content_creation.writing import ADJUST_LENGTH, ADJUST_TONE, FIT_LENGTH, OPTIMIZE_SEO, REWRITE, WRITE
from agents.readability import word_count
from agents.seo.style import LENGTH_TOLERANCE
from agents.unit import StageResult, UnitResult

LENGTH_ROUNDS = 2


class Step(StrEnum):
    """What is done to a piece next."""

    TONE = "adjust_tone"
    SEO = "optimize_seo"
    LENGTH = "adjust_length"
    FIT = "fit_length"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a piece, checked or not."""

    written: Written
    made_by: str  #: kind of its unit
    asked_words: int  #: that the writer was asked for
    seen: bool = False  #: whether its checks have run, well or not
    scored: Scored | None = None
    checked: BrandChecked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that has been done about one piece in this hop."""

    assignment: Assignment
    versions: Sequence[Version]  #: oldest first
    tried: Sequence[str]  #: kinds of the steps, failed ones included

    @property
    def unchecked(self) -> Version | None:
        """Newest version, while it has not been checked."""
        return self.versions[-1] if self.versions and not self.versions[-1].seen else None

    def drafts(self, brand: Brand) -> list[Draft]:
        """Return the versions with what the checks say."""
        return [judged(one, self.assignment, brand) for one in self.versions]

    def best(self, brand: Brand) -> Draft:
        """Return the version to keep, with what the checks say."""
        return self._best(brand)[0]

    def best_version(self, brand: Brand) -> Version:
        """Return the version to keep, as it was written."""
        return self._best(brand)[1]

    def _best(self, brand: Brand) -> tuple[Draft, Version]:
        (chosen, version), *later = zip(self.drafts(brand), self.versions, strict=True)
        for one, its_version in later:
            if better(chosen, one) is one:
                chosen, version = one, its_version
        return chosen, version

    def next_step(self, brand: Brand) -> Step | None:
        """Return what the best version needs, None when nothing is left to do."""
        if not self.versions:
            return None
        best = self.best(brand)
        if best.broken and Step.TONE not in self.tried:
            return Step.TONE
        others = [one for one in best.problems if one.check not in (*house_rules.CHECKS, "length")]
        if others and Step.SEO not in self.tried:
            return Step.SEO
        if best.fits:
            return None
        if self.tried.count(Step.LENGTH) < LENGTH_ROUNDS:
            return Step.LENGTH
        return Step.FIT if Step.FIT not in self.tried else None

    def words_to_ask(self, brand: Brand) -> int:
        """Return the length to ask for.

        It is the one wanted; of a writer who has missed it twice on the same side, one such that erring as before hits
        it, between half and twice the length wanted.
        """
        target = self.assignment.requirement.target_length
        shares = [
            max(1, word_count(one.text.body)) / version.asked_words
            for one, version in zip(self.drafts(brand), self.versions, strict=True)
        ][-2:]
        if len(shares) < 2 or not (max(shares) < 1 - LENGTH_TOLERANCE or min(shares) > 1 + LENGTH_TOLERANCE):
            return target
        return min(2 * target, max(target // 2, round(target / shares[-1])))


def judged(version: Version, assignment: Assignment, brand: Brand) -> Draft:
    """Return a version with what was found of it, by the rules alone where no unit could check it."""
    text = text_of(version.written, assignment.requirement, brand)
    checked = version.checked
    if checked is None:  # the unit failed, or the version is from a replay that has not come so far
        given = CheckBrand(
            label=assignment.label,
            written=version.written,
            requirement=assignment.requirement,
            brand=brand,
            system="",
        )
        checked = brand_checked(given, text)
    return draft(text, version.written, version.scored, checked)


_WRITERS = {kind.name: kind for kind in (WRITE, REWRITE, OPTIMIZE_SEO, ADJUST_LENGTH, ADJUST_TONE)}


def histories(due: Sequence[Assignment], results: Sequence[StageResult]) -> list[History]:
    """Return what has been done about each piece, in the order of the assignments."""
    return [_history(one, results) for one in due]


def _history(assignment: Assignment, results: Sequence[StageResult]) -> History:
    versions: list[Version] = []
    tried: list[str] = []
    for stage in results:
        for result in stage.results:
            if result.unit.input.get("label") != assignment.label:
                continue
            kind = result.unit.kind
            if kind in (Step.TONE, Step.SEO, Step.LENGTH, Step.FIT):
                tried.append(kind)
            if kind in _WRITERS or kind == FIT_LENGTH.name:
                versions += _version(result)
            elif versions and kind == SCORE.name:
                versions[-1] = replace(versions[-1], scored=SCORE.answer(result), seen=True)
            elif versions and kind == CHECK_BRAND.name:
                versions[-1] = replace(versions[-1], checked=_checked(CHECK_BRAND.answer(result), versions))
    return History(assignment=assignment, versions=versions, tried=tried)


def _checked(found: BrandChecked | None, versions: Sequence[Version]) -> BrandChecked | None:
    """Return what was found, with what a judge has said before of the sentences that a cut or addition has kept."""
    earlier = next((one.checked for one in reversed(versions[:-1]) if one.checked), None)
    if found is None or earlier is None or versions[-1].made_by != FIT_LENGTH.name:
        return found
    judged_before = {one.guideline: one for one in earlier.verdicts if one.by == "judge" and one.kept}
    verdicts = tuple(judged_before.get(one.guideline, one) if one.by == "nobody" else one for one in found.verdicts)
    return found.model_copy(update={"verdicts": verdicts})


def _version(result: UnitResult) -> list[Version]:
    kind = result.unit.kind
    if kind == FIT_LENGTH.name:
        written = FIT_LENGTH.answer(result)
        asked = FIT_LENGTH.given(result.unit).requirement.target_length
    else:
        written = _WRITERS[kind].answer(result)
        given: Write = _WRITERS[kind].given(result.unit)
        asked = given.brief.requirement.target_length
    return [] if written is None else [Version(written=written, made_by=kind, asked_words=asked)]
