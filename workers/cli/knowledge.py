"""``campaigns knowledge``: documents that content is written from.

Invariant: a file is refused with its name and the reason before the next one is tried; adding the same file
again replaces what it held. What is added is found by its words at once; where it can't be embedded that is said.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workers.cli.output import clean, console, json_option, note, print_json, progress_console, say
from workers.cli.wording import count, moment

if TYPE_CHECKING:
    from orchestration.control.library import Coverage, Library

EXCERPT_CHARS = 300

brand_option = click.option("--brand", default="", help="Brand of the documents; without it, every brand's.")


@click.group("knowledge")
def knowledge_group() -> None:
    """Keep the documents that the content is written from."""


@knowledge_group.command()
@click.argument("source", metavar="PATH")
@brand_option
@click.option("--language", default=None, help="Language of the text, such as english or german (KNOWLEDGE_LANGUAGE).")
@json_option
def add(source: str, brand: str, language: str | None, as_json: bool) -> int:
    """Load a document, all documents in a folder, or a web page by its URL (text, HTML, PDF, Word, slides)."""
    from integrations.errors import IntegrationError
    from workers.cli.connection import campaigns

    where: Path | str = source
    if not source.startswith(("http://", "https://")):
        where = Path(source)
        if not where.exists():
            raise click.BadParameter(f"{source} does not exist", param_hint="PATH")
    with campaigns(start=True, acts=True) as client:
        try:
            documents = client.knowledge.add(where, brand=brand, language=language)
        except (ValueError, OSError, IntegrationError) as error:
            if isinstance(error, ConnectionError):  # the database, not the document
                raise
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise click.BadParameter(reason, param_hint="PATH") from None
        coverage = _embed(client.knowledge, as_json=as_json)
    if as_json:
        print_json({"documents": documents, "embedding": _coverage(coverage)})
    else:
        say(f"{count(len(documents), 'document')} added.")
        _say_coverage(coverage)
    return 0


@knowledge_group.command("list")
@click.option("--brand", default=None, help="Those that a campaign of this brand may use.")
@json_option
def list_documents(brand: str | None, as_json: bool) -> int:
    """List the documents."""
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        found = client.knowledge.documents(brand)
    if as_json:
        print_json([{name: getattr(one, name) for name in one.__slots__} for one in found])
        return 0
    if not found:
        say("The knowledge base is empty.")
        return 0
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Document", no_wrap=True)
    table.add_column("Title", overflow="fold", ratio=1)
    for name in ("Brand", "Language", "Passages", "Embedded", "Added (UTC)"):
        table.add_column(name, no_wrap=True)
    for one in found:
        sizes = str(one.chunks), str(one.embedded)
        added = moment(one.created_at)[:16]
        table.add_row(one.document_id[:12], Text(clean(one.title)), Text(clean(one.brand)), one.language, *sizes, added)
    console().print(table)
    return 0


@knowledge_group.command()
@click.argument("document")
@json_option
def remove(document: str, as_json: bool) -> int:
    """Remove a document, by its id or the beginning of it."""
    from workers.cli.connection import campaigns

    with campaigns(start=True, acts=True) as client:
        found = [one for one in client.knowledge.documents() if document and one.document_id.startswith(document)]
        if len(found) > 1:
            raise click.BadParameter(
                f"{document} is the beginning of {len(found)} documents' ids", param_hint="DOCUMENT"
            )
        if not found or not client.knowledge.remove(found[0].document_id):
            click.echo(f"no document {clean(document)} in the knowledge base", err=True)
            return 3
    if as_json:
        print_json({"removed": found[0].document_id})
    else:
        say(f"{clean(found[0].title)} removed.")
    return 0


@knowledge_group.command()
@click.argument("question")
@brand_option
@click.option("--strategy", type=click.Choice(["multi_query", "single"]), default="multi_query", show_default=True)
@click.option("--variant", "variants", multiple=True, help="The question in other words; may be given several times.")
@click.option("--limit", type=click.IntRange(1, 50), default=5, show_default=True)
@json_option
def ask(question: str, brand: str, strategy: str, variants: tuple[str, ...], limit: int, as_json: bool) -> int:
    """Show the passages that answer a question, best first."""
    from workers.cli.connection import campaigns

    with campaigns(start=True) as client:
        found = client.knowledge.ask(question, strategy, limit=limit, variants=variants, brand=brand)
    if as_json:
        passages = [{name: getattr(one, name) for name in one.__slots__} for one in found.passages]
        print_json({"passages": passages, "words_only": found.words_only})
        return 0
    if found.words_only:
        note(f"Asked by words alone: {clean(found.words_only)}.")
    if not found.passages:
        say("Nothing in the knowledge base answers that.")
    for number, one in enumerate(found.passages, start=1):
        text = " ".join(one.text.split())
        shown = text if len(text) <= EXCERPT_CHARS else text[: EXCERPT_CHARS - 3] + "..."
        say(f"{number}. {clean(one.title)}\n   {clean(shown)}")
    return 0


@knowledge_group.command()
@json_option
def embed(as_json: bool) -> int:
    """Embed what is not embedded yet, as after a change of EMBEDDING_MODEL or a run that was stopped."""
    from workers.cli.connection import campaigns

    with campaigns(start=True, acts=True) as client:
        coverage = _embed(client.knowledge, as_json=as_json)
    if as_json:
        print_json(_coverage(coverage))
    else:
        _say_coverage(coverage)
    return 0 if coverage.complete else 4


def _embed(library: Library, *, as_json: bool) -> Coverage:
    from rich.progress import Progress

    out = progress_console(as_json=as_json)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as shown:
        task = shown.add_task("Embedding", total=None)
        return library.embed(lambda done, total: shown.update(task, completed=done, total=total))


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {**{name: getattr(coverage, name) for name in coverage.__slots__}, "complete": coverage.complete}


def _say_coverage(coverage: Coverage) -> None:
    if coverage.stopped:
        note(f"Not embedded, so found by words alone: {clean(coverage.stopped)}.")
        return
    price = "an unknown price" if coverage.cost is None else f"{coverage.cost:.6f} USD"
    say(f"{coverage.embedded} of {count(coverage.chunks, 'passage')} embedded with {clean(coverage.model)} ({price}).")
