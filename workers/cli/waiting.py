"""What a campaign waits for, as people read it: until when, and the question that a person has to answer.

Pure: what is stored in, something to print out. Invariant: a question is shown whole, as it will be published and
spent; nothing of it is cut off, and text of the outside world stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, JsonValue

from workers.cli.layout import heading, line, listed
from workers.cli.request import subject, told
from workers.cli.wording import LIVE, LIVE_NOTE, moment, span

if TYPE_CHECKING:
    from rich.console import RenderableType

#: How the reason of a campaign begins that waits for somebody to mend or settle something.
ATTENTION = "needs_attention"


class _Question(BaseModel):
    """What of a stored question is shown."""

    kind: str
    request: dict[str, JsonValue]
    expires_at: datetime | None = None


def until(status: str, reason: str | None, due_at: datetime | None, now: datetime) -> str:
    """Say until when a campaign waits, or nothing when it does not wait."""
    if status not in ("waiting", "awaiting_approval"):
        return ""
    if due_at is None:
        if status == "awaiting_approval":
            return "the question does not expire"
        return "until somebody acts" if (reason or "").startswith(ATTENTION) else ""
    end = "the question expires" if status == "awaiting_approval" else "goes on"
    left = (due_at - now).total_seconds()
    return f"{end} {moment(due_at)[:16]} UTC" + (f", in {span(left)}" if left > 0 else ", now")


def question(asked: Mapping[str, object], campaign_id: str, *, mode: str = "") -> Iterable[RenderableType]:
    """Yield the open question of a campaign (``CampaignHandle.approval``), and how to answer it.

    Of a live one, ``mode``, it says first that it is.
    """
    open_one = _Question.model_validate(asked)
    if mode == LIVE:
        yield line(LIVE_NOTE, style="bold red")
    yield heading(f"Approval wanted: {subject(open_one.kind, open_one.request)}")
    yield from told(open_one.request)
    if open_one.expires_at:
        yield line(f"The question expires {moment(open_one.expires_at)[:16]} UTC.")
    yield listed(
        [
            ("yes:", f"campaigns approve {campaign_id}"),
            ("no:", f"campaigns reject {campaign_id} --reason '...'   (--rework: write it anew)"),
        ]
    )
