"""Where words go: machine output to stdout, people's to stdout or stderr, and nothing dangerous to either.

Invariant: with ``--json`` only JSON reaches stdout. Text that comes from the outside world (company names,
titles, error messages) can't move the cursor, change colours or hide itself: it is shown, never obeyed.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from workers.cli.stopping import Stopped

if TYPE_CHECKING:
    from rich.console import Console

#: Commands to a terminal, single control characters, and characters that turn the direction of the text.
_UNSAFE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_SPACE = re.compile(r"\s+")
PIPE_WIDTH = 200

#: The option every command has.
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs instead of text.")


def clean(text: object, limit: int = 0) -> str:
    """Make one line that is safe to print: no control characters, spaces joined, cut to ``limit`` characters."""
    line = _SPACE.sub(" ", _UNSAFE.sub("", str(text))).strip()
    return line if not limit or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def tolerate_any_encoding() -> None:
    """Print a question mark for a character that the terminal has no code for, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def console(*, stderr: bool = False, one_line: bool = False) -> Console:
    """Make a console that keeps to the terminal's width and to NO_COLOR, and takes no text for markup.

    ``one_line``: in a pipe, a table's row is not wrapped (``campaigns list | grep ...``).
    """
    from rich.console import Console

    class PipedConsole(Console):
        """Ends as ``head`` would have it end, not with the status of a failed campaign."""

        def on_broken_pipe(self) -> None:
            raise Stopped(signal.SIGPIPE)

    piped = not (sys.stderr if stderr else sys.stdout).isatty()
    width = PIPE_WIDTH if one_line and piped and "COLUMNS" not in os.environ else None
    return PipedConsole(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=False, width=width)


def progress_console(*, as_json: bool) -> Console:
    """Make the console that progress is shown on: stdout when a person looks at it, else stderr."""
    return console(stderr=as_json or not sys.stdout.isatty())


def say(text: str) -> None:
    """Print a line on stdout.

    Raises Stopped when its reader (``head``, ``less``) has seen enough.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        raise Stopped(signal.SIGPIPE) from None


def note(text: str) -> None:
    """Print a line for people that is no result, on stderr, as far as that can be written."""
    with suppress(OSError, ValueError):
        click.echo(text, err=True)


def to_json(value: object, *, indent: int | None = 2) -> str:
    """Return JSON text with Decimal as text and times in ISO 8601, on one line when ``indent`` is None."""
    from pydantic_core import to_json as encode

    unicode = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("-", "") == "utf8"
    return encode(value, indent=indent, inf_nan_mode="null", ensure_ascii=not unicode).decode()


def print_json(value: object) -> None:
    """Print the one JSON document of a command."""
    say(to_json(value))


def print_json_line(value: object) -> None:
    """Print one line of a stream of JSON, handed over at once."""
    say(to_json(value, indent=None))
