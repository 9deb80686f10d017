"""What a person is asked to agree to, whole: ads, pieces of content, or any JSON of any agent.

Pure. Invariant: nothing of a request is cut off or left out. A list is drawn as ads, pieces or effects only when every
entry has exactly that shape; anything else is told key by key, however deep it goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from workers.cli.layout import line, listed
from workers.cli.output import clean
from workers.cli.wording import count, money, platform_title, words

if TYPE_CHECKING:
    from rich.console import RenderableType


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Audience(_Shape):
    industries: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    interests: tuple[str, ...] = ()


class _CustomerList(_Shape):
    use: str
    leads: int
    country: str = ""
    percent: int = 0


class _Ad(_Shape):
    """What is shown on one platform: a platform's name and the fields of ``integrations.ads.platform.AdSpec``."""

    platform: str
    headlines: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    combined: int = 1
    keywords: tuple[str, ...] = ()
    call_to_action: str = ""
    landing_url: str = ""
    advertiser: str = ""
    audience: _Audience = Field(default_factory=_Audience)
    daily_budget: Decimal | None = None
    currency: str = ""
    end: str | None = None
    goal: str = ""
    customer_list: _CustomerList | None = None
    # Known to the platform, not shown to people:
    name: str = ""
    effect_key: str = ""
    revision: int = 1
    start: str | None = None
    language: str = ""


class _Piece(_Shape):
    """A piece of content, as it will be used."""

    title: str = ""
    body: str = ""
    content_type: str = ""
    revision: int = 1
    meta_description: str = ""
    call_to_action: str = ""
    piece_id: str = ""


class _Effect(_Shape):
    """An effect that its agent does not describe, by what its unit is given."""

    unit: str
    kind: str
    provider: str
    input: dict[str, JsonValue]


class _Spending(_Shape):
    budget: Decimal
    currency: str = ""
    days: int = 0


S = TypeVar("S", bound=_Shape)
Request = Mapping[str, JsonValue]


def subject(kind: str, request: Request) -> str:
    """Say in a few words what is asked."""
    if ads := _listed(_Ad, request.get("ads")):
        return f"ads on {', '.join(platform_title(ad.platform) for ad in ads)}"
    if pieces := _listed(_Piece, request.get("pieces")):
        return count(len(pieces), "piece") + " of content"
    if effects := _listed(_Effect, request.get("effects")):
        providers = dict.fromkeys(words(effect.provider) for effect in effects)
        return f"{count(len(effects), 'effect')} on {', '.join(providers)}"
    return words(kind)


def told(request: Request) -> Iterator[RenderableType]:
    """Yield all that is asked, top to bottom."""
    rest = dict(request)
    for ad in _listed(_Ad, request.get("ads")):
        rest.pop("ads", None)
        yield from _ad(ad)
    for piece in _listed(_Piece, request.get("pieces")):
        rest.pop("pieces", None)
        yield from _piece(piece)
    for effect in _listed(_Effect, request.get("effects")):
        rest.pop("effects", None)
        yield line(clean(f"{effect.unit} ({words(effect.kind)}, {words(effect.provider)})"), style="bold")
        yield from nested(effect.input)
    spending = _read(_Spending, {key: rest[key] for key in _Spending.model_fields if key in rest})
    if spending is not None:
        rest = {key: value for key, value in rest.items() if key not in _Spending.model_fields}
    yield from nested(rest)
    if spending is not None:
        over = f" over {count(spending.days, 'day')}" if spending.days else ""
        yield line(f"At most {money(spending.budget, spending.currency)} is spent{over}.")


def nested(value: Mapping[str, JsonValue] | list[JsonValue], depth: int = 0) -> Iterator[RenderableType]:
    """Yield every key and value of some JSON, deeper ones further to the right."""
    named = isinstance(value, Mapping)
    entries = value.items() if isinstance(value, Mapping) else enumerate(value, start=1)
    for key, one in entries:
        mark = f"{_name(str(key))}:" if named else "-"
        if isinstance(one, dict | list) and one:
            yield line(mark if named else f"{key}.", depth=depth)
            yield from nested(one, depth + 1)
            continue
        first, *others = _paragraphs(one)
        yield line(f"{mark} {first}", depth=depth)
        for paragraph in others:
            yield line(paragraph, depth=depth + 1)


def _name(key: str) -> str:
    """Write a key in words, but leave one that is no name, such as an address, as it is."""
    return words(key) if key.isidentifier() else clean(key)


def _paragraphs(value: JsonValue) -> list[str]:
    match value:
        case None | {} | []:
            return ["none"]
        case bool():
            return ["yes" if value else "no"]
        case str():
            return [clean(part) for part in value.splitlines() if clean(part)] or ['""']
        case _:
            return [str(value)]


def _read(shape: type[S], value: JsonValue) -> S | None:
    try:
        return shape.model_validate(value)
    except ValidationError:
        return None


def _listed(shape: type[S], value: JsonValue) -> list[S]:
    """Read a list whose entries are all of one shape, and nothing of any other."""
    found = [_read(shape, one) for one in value] if isinstance(value, list) else []
    read = [one for one in found if one is not None]
    return read if len(read) == len(found) else []


def _ad(ad: _Ad) -> Iterator[RenderableType]:
    yield line(platform_title(ad.platform), style="bold")
    shown = [
        (name, text)
        for name, texts in (("Headline", ad.headlines), ("Text", ad.descriptions), ("Keywords", ad.keywords))
        for text in texts
    ]
    if ad.combined > 1:
        shown.append(("Shown as", f"{count(ad.combined, 'ad')}, each with its share of headlines and texts in order"))
    one_each = (
        ("Button", ad.call_to_action),
        ("Leads to", ad.landing_url),
        ("Advertiser", ad.advertiser),
        ("Goal", ad.goal),
    )
    shown += [(name, text) for name, text in one_each if text]
    whom: dict[str, tuple[str, ...]] = ad.audience.model_dump()
    audience = [f"{words(key)}: {', '.join(values)}" for key, values in whom.items() if values]
    if audience:
        shown.append(("Shown to", "; ".join(audience)))
    if ad.customer_list is not None:
        shown.append(
            ("Shown to", f"{_whom(ad.customer_list)}, by a list of their hashed addresses that the platform is given")
        )
    if ad.daily_budget is not None:
        shown.append(("Per day", money(ad.daily_budget, ad.currency)))
    if ad.end:
        shown.append(("Until", clean(ad.end)[:10]))
    yield listed(shown)


def _whom(wanted: _CustomerList) -> str:
    """Return to whom ads are shown by a customer list."""
    people = count(wanted.leads, "lead")
    if wanted.use == "lookalike":
        return f"{wanted.percent} % of the people in {wanted.country}, who are most like {people}, and not to those"
    return f"{people} only" if wanted.use == "target" else f"all but {people}"


def _piece(piece: _Piece) -> Iterator[RenderableType]:
    again = f", revision {piece.revision}" if piece.revision > 1 else ""
    yield line(f"{clean(piece.title)} ({words(piece.content_type)}{again})", style="bold")
    for paragraph in piece.body.splitlines():
        if clean(paragraph):
            yield line(clean(paragraph))
    shown = [("Search result", piece.meta_description), ("Call to action", piece.call_to_action)]
    yield listed([(name, text) for name, text in shown if text])
