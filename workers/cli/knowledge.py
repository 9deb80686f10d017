"""``campaigns knowledge``: documents that content is written from.

Invariant: a file is refused with its name and the reason before the next one is tried; adding the same file
again replaces what it held.
"""

from __future__ import annotations

from pathlib import Path

import click

from workers.cli.output import json_option, print_json, say
from workers.cli.wording import count


@click.group("knowledge")
def knowledge_group() -> None:
    """Keep the documents that the content is written from."""


@knowledge_group.command()
@click.argument("path", type=click.Path(exists=True, readable=True, path_type=Path))
@json_option
def add(path: Path, as_json: bool) -> int:
    """Load a document, or all documents in a folder (Markdown, text, HTML)."""
    from workers.cli.connection import campaigns

    with campaigns(start=True, acts=True) as client:
        try:
            documents = client.knowledge.add(path)
        except (ValueError, OSError) as error:
            if isinstance(error, ConnectionError):  # the database, not the document
                raise
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise click.BadParameter(reason, param_hint="PATH") from None
    if as_json:
        print_json({"documents": documents})
    else:
        say(f"{count(len(documents), 'document')} added.")
    return 0
