"""What a campaign waits for, as people read it: until when, and the question that a person has to answer.

Pure: what is stored in, something to print out. Invariant: a question is shown whole, as it will be published and
spent; nothing of it is cut off, and text of the outside world stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from workers.cli.layout import heading, line, listed
from workers.cli.output import clean
from workers.cli.wording import count, moment, money, platform_title, span, words

if TYPE_CHECKING:
    from rich.console import RenderableType

#: How the reason of a campaign begins that waits for somebody to mend or settle something.
ATTENTION = "needs_attention"
#: Parts of an ad in the order in which people read them, and their names.
_TEXTS = {"headlines": "Headline", "descriptions": "Text", "keywords": "Keywords"}
_AUDIENCE = ("industries", "titles", "locations", "interests")


def until(status: str, reason: str | None, due_at: datetime | None, now: datetime) -> str:
    """Until when a waiting campaign waits, in words; empty for one that does not wait."""
    if status not in ("waiting", "awaiting_approval"):
        return ""
    if due_at is None:
        if status == "awaiting_approval":
            return "the question does not expire"
        return "until somebody acts" if (reason or "").startswith(ATTENTION) else ""
    end = "the question expires" if status == "awaiting_approval" else "goes on"
    left = (due_at - now).total_seconds()
    return f"{end} {moment(due_at)[:16]} UTC" + (f", in {span(left)}" if left > 0 else ", now")


def question(asked: Mapping[str, Any], campaign_id: str) -> Iterable[RenderableType]:
    """The open question of a campaign (``CampaignHandle.approval``), and how to answer it."""
    request: Mapping[str, Any] = asked["request"]
    kind = str(asked["kind"])
    yield heading(f"Approval wanted: {_subject(kind, request)}")
    for ad in request.get("ads", ()):
        yield from _ad(ad)
    for piece in request.get("pieces", ()):
        yield from _piece(piece)
    if "budget" in request:
        days = int(request.get("days") or 0)
        over = f" over {count(days, 'day')}" if days else ""
        yield line(f"At most {money(request['budget'], str(request.get('currency', '')))} is spent{over}.")
    expires = asked.get("expires_at")
    if expires:
        when = expires if isinstance(expires, datetime) else datetime.fromisoformat(str(expires))
        yield line(f"The question expires {moment(when)[:16]} UTC.")
    yield listed(
        [
            ("yes:", f"campaigns approve {campaign_id}"),
            ("no:", f"campaigns reject {campaign_id} --reason '...'   (--rework: write it anew)"),
        ]
    )


def _subject(kind: str, request: Mapping[str, Any]) -> str:
    if "ads" in request:
        return f"ads on {', '.join(platform_title(str(ad.get('platform', '?'))) for ad in request['ads'])}"
    if "pieces" in request:
        return count(len(request["pieces"]), "piece") + " of content"
    return words(kind)


def _ad(ad: Mapping[str, Any]) -> Iterator[RenderableType]:
    yield line(platform_title(str(ad.get("platform", "?"))), style="bold")
    shown: list[tuple[str, str]] = []
    for key, name in _TEXTS.items():
        shown += [(name, str(text)) for text in ad.get(key) or ()]
    for key, name in (("call_to_action", "Button"), ("landing_url", "Leads to"), ("advertiser", "Advertiser")):
        if ad.get(key):
            shown.append((name, str(ad[key])))
    whom: Mapping[str, Any] = ad.get("audience") or {}
    audience = [f"{words(key)}: {', '.join(map(str, whom[key]))}" for key in _AUDIENCE if whom.get(key)]
    if audience:
        shown.append(("Shown to", "; ".join(audience)))
    if ad.get("daily_budget") is not None:
        shown.append(("Per day", money(str(ad["daily_budget"]), str(ad.get("currency", "")))))
    if ad.get("end"):
        shown.append(("Until", clean(ad["end"])[:10]))
    yield listed(shown)


def _piece(piece: Mapping[str, Any]) -> Iterator[RenderableType]:
    revision = int(piece.get("revision") or 1)
    again = f", revision {revision}" if revision > 1 else ""
    yield line(f"{clean(piece.get('title', ''))} ({words(str(piece.get('content_type', '')))}{again})", style="bold")
    for paragraph in str(piece.get("body", "")).splitlines():
        if clean(paragraph):
            yield line(clean(paragraph))
    shown = [("Search result", piece.get("meta_description")), ("Call to action", piece.get("call_to_action"))]
    yield listed([(name, str(text)) for name, text in shown if text])
