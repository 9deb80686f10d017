"""``content`` and ``edit``: what a campaign has written, how it has changed, and another text in its place.

Invariant: HTML is made of Markdown in which no tag of the writer's counts, so a page holds only what our own templates
put there.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from workers.cli.bulk import actor
from workers.cli.output import console, json_option, note, print_json, say

if TYPE_CHECKING:
    from agents.config import ContentRequirement
    from agents.state import ContentPiece
    from orchestration.reports.pieces import PieceCost, PieceRevision

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="description" content="{description}"></head>
<body><article><h1>{title}</h1>
{body}{action}</article></body></html>
"""


@click.command("content")
@click.argument("campaign_id", metavar="ID")
@click.option("--piece", "chosen", metavar="N", type=click.IntRange(min=1), help="Only the piece of that number.")
@click.option("--revision", metavar="R", type=click.IntRange(min=1), help="As it was in that revision.")
@click.option("--diff", "changes", is_flag=True, help="What each revision has changed.")
@click.option("--md", "form", flag_value="md", help="As Markdown.")
@click.option("--html", "form", flag_value="html", help="As HTML, one page a piece.")
@click.option("--out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="One file a piece, there.")
@json_option
def content_command(
    campaign_id: str,
    chosen: int | None,
    revision: int | None,
    changes: bool,
    form: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Show the content that a campaign has written."""
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        handle = client.get(campaign_id)
        found, language = handle.pieces(), _language(handle.state.content_requirements)
        costs = handle.piece_costs()
    if chosen is not None and chosen > len(found):
        raise click.BadParameter(f"{chosen}: there are {len(found)} pieces", param_hint="--piece")
    numbered = [(at, one) for at, one in enumerate(found, start=1) if chosen in (None, at)]
    if as_json:
        print_json([_document(at, one, costs) for at, one in numbered])
        return 0
    if not numbered:
        say("Nothing is written yet.")
        return 0
    if changes:
        say("\n".join(line for at, one in numbered for line in _differences(at, one)) or "Nothing was changed.")
        return 0
    pieces = [(at, _revision(one, revision)) for at, one in numbered]
    if out is not None:
        return _files(pieces, out, form or "md", language)
    if form == "html":
        click.echo("\n".join(page(piece, language) for _, piece in pieces))
        return 0
    if form == "md":
        click.echo("\n\n".join(markdown(piece) for _, piece in pieces))
        return 0
    for at, piece in pieces:
        about = f"{at}. {piece.content_type}, revision {piece.revision}, {piece.word_count} words, id {piece.piece_id}"
        console().print(about, style="bold", markup=False, highlight=False)
        if piece.piece_id in costs:
            console().print(_cost(costs[piece.piece_id]), style="dim", markup=False, highlight=False)
        console().print(markdown(piece), markup=False, highlight=False)
        for finding in piece.checks:
            console().print(f"- {finding}", style="dim", markup=False, highlight=False)
    return 0


@click.command("edit")
@click.argument("campaign_id", metavar="ID")
@click.argument("piece", metavar="PIECE")
@click.option("--file", "source", metavar="FILE", type=click.File(encoding="utf-8"), help='Markdown; "# Title" first.')
@click.option("--title", metavar="TEXT", help="Another title.")
@click.option("--meta", metavar="TEXT", help="Another meta description.")
@click.option("--call-to-action", metavar="TEXT", help="Another call to action.")
@json_option
def edit_command(
    campaign_id: str,
    piece: str,
    source: TextIO | None,
    title: str | None,
    meta: str | None,
    call_to_action: str | None,
    as_json: bool,
) -> int:
    """Edit a piece (its number or id) while the campaign asks about it.

    The approval that follows covers the edited text.
    """
    from workers.cli.connection import campaigns

    read = _parted(source.read()) if source is not None else dict[str, str]()
    given = {"title": title, "meta_description": meta, "call_to_action": call_to_action}
    texts = {**read, **{name: text for name, text in given.items() if text is not None}}
    if not texts:
        raise click.UsageError("say what changes: --file, --title, --meta or --call-to-action")
    with campaigns(start=True, acts=True) as client:
        handle = client.get(campaign_id)
        pieces = handle.state.generated_content
        number = int(piece) if piece.isdecimal() and len(piece) < 6 else 0
        piece_id = pieces[number - 1].piece_id if 0 < number <= len(pieces) else piece
        status = handle.edit(piece_id, texts, actor=actor())
        after = next((one for one in handle.state.generated_content if one.piece_id == piece_id), None)
    if as_json:
        print_json(
            {"campaign_id": campaign_id, "status": status, "piece": after.model_dump(mode="json") if after else None}
        )
        return 0
    if after is not None:
        say(f"Revision {after.revision} of {after.title!r}: {after.word_count} words, SEO {after.seo_score:.2f}.")
    note(f"It is asked about anew: campaigns approve {campaign_id}")
    return 0


def markdown(piece: ContentPiece) -> str:
    """Return a piece as Markdown, its call to action last."""
    action = f"\n\n**{piece.call_to_action}**" if piece.call_to_action else ""
    return f"# {piece.title}\n\n{piece.body}{action}\n"


def page(piece: ContentPiece, language: str) -> str:
    """Return a piece as an HTML page, in which tags of the text are shown as text."""
    from markdown_it import MarkdownIt

    action = f"<p><strong>{html.escape(piece.call_to_action)}</strong></p>\n" if piece.call_to_action else ""
    return _PAGE.format(
        language=html.escape(language),
        title=html.escape(piece.title),
        description=html.escape(piece.meta_description),
        body=MarkdownIt("commonmark", {"html": False}).enable("table").render(piece.body),
        action=action,
    )


def _parted(text: str) -> dict[str, str]:
    """Return title and body of a Markdown file, whose first line may be the title."""
    first, _, rest = text.strip().partition("\n")
    if first.startswith("# "):
        return {"title": first[2:].strip(), "body": rest.strip()}
    return {"body": text.strip()}


def _language(wanted: Sequence[ContentRequirement]) -> str:
    return wanted[0].language if wanted else "en"


def _revision(revisions: Sequence[PieceRevision], wanted: int | None) -> ContentPiece:
    if wanted is None:
        return revisions[-1].piece
    for one in reversed(revisions):
        if one.piece.revision == wanted:
            return one.piece
    there = ", ".join(str(one.piece.revision) for one in revisions)
    raise click.BadParameter(f"{wanted}: there are {there}", param_hint="--revision")


def _differences(number: int, revisions: Sequence[PieceRevision]) -> list[str]:
    told = []
    for before, after in pairwise(revisions):
        old, new = (f"{number}/{one.piece.revision} (step {one.step})" for one in (before, after))
        lines, others = (markdown(one.piece).splitlines() for one in (before, after))
        told += list(difflib.unified_diff(lines, others, old, new, lineterm="", n=1))
    return told


def _cost(cost: PieceCost) -> str:
    tokens = f"{cost.calls} calls, {cost.input_tokens:,} tokens in, {cost.output_tokens:,} out"
    unpriced = f", {cost.unpriced_tokens:,} of them without a known price" if cost.unpriced_tokens else ""
    return f"{tokens}{unpriced}: {cost.usd:.4f} USD"


def _document(number: int, revisions: Sequence[PieceRevision], costs: Mapping[str, PieceCost]) -> dict[str, object]:
    cost = costs.get(revisions[-1].piece.piece_id)
    return {
        "number": number,
        "cost": {name: str(value) if name == "usd" else value for name, value in asdict(cost).items()}
        if cost
        else None,
        "revisions": [{"step": one.step, **one.piece.model_dump(mode="json")} for one in revisions],
    }


def _files(pieces: Sequence[tuple[int, ContentPiece]], out: Path, form: str, language: str) -> int:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for at, piece in pieces:
            slug = re.sub(r"[^a-z0-9]+", "-", piece.title.lower()).strip("-")[:60] or "piece"
            text = page(piece, language) if form == "html" else markdown(piece)
            (out / f"{at:02d}-{slug}.{form}").write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.BadParameter(f"{out} can't be written: {error.strerror}", param_hint="--out") from None
    note(f"{len(pieces)} files written to {out}.")
    return 0
