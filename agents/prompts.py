"""Prompts, which live in files: loading, filling in and fencing.

A prompt file is ``<package>/prompts/<name>.md`` with ``$name`` placeholders. Facts go in as one brief: what the user
wrote as fenced JSON, what others wrote as a labelled block beside it (:mod:`agents.untrusted`). Invariants: rendering
is strict (a missing or unused fact is an error, so that file and code can't drift apart) and deterministic; no fact can
close the fence it stands in; text from outside stands in its own block only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any

from pydantic import BaseModel

from agents.untrusted import Untrusted, fence_facts, holds_untrusted

MATERIAL = "material"  #: label of the block with what a brief holds from outside


@cache
def load(package: str, name: str) -> str:
    """Return the prompt ``prompts/<name>.md`` of ``package``.

    Raises FileNotFoundError, which names both, when it is missing.
    """
    resource = files(package).joinpath("prompts", f"{name}.md")
    if not resource.is_file():
        raise FileNotFoundError(f"package {package!r} has no prompt prompts/{name}.md")
    return resource.read_text(encoding="utf-8").strip()


def render(template: str, **facts: object) -> str:
    """Replace every ``$name`` in a template.

    A literal dollar sign is written ``$$``. Values are inserted as they are and not scanned again. Raises ValueError,
    which names a placeholder without a fact, or a fact without a placeholder.
    """
    found = Template(template)
    if not found.is_valid():
        raise ValueError("the prompt has a '$' that begins no placeholder; write a literal one as '$$'")
    wanted, given = set(found.get_identifiers()), set(facts)
    if wanted != given:
        problems = [f"no fact for ${name}" for name in sorted(wanted - given)]
        problems += [f"no placeholder ${name}" for name in sorted(given - wanted)]
        raise ValueError(f"prompt and facts differ: {', '.join(problems)}")
    return found.substitute(facts)


def brief(facts: Mapping[str, Any]) -> str:
    """Return the facts as canonical JSON (sorted keys) in a ```json fence, which no value can close.

    Facts that hold text from outside (:class:`~agents.untrusted.Untrusted`, however deep) follow as JSON in a labelled
    block of their own.
    """
    outside = {name: value for name, value in facts.items() if holds_untrusted(value)}
    own = {name: value for name, value in facts.items() if name not in outside}
    text = json.dumps(own, ensure_ascii=False, sort_keys=True, indent=1, default=_plain)
    # Backticks stand only inside JSON strings, where the escape means the same character.
    fenced = "```json\n" + text.replace("```", "\\u0060\\u0060\\u0060") + "\n```"
    return f"{fenced}\n\n{fence_facts(MATERIAL, outside)}" if outside else fenced


def _plain(value: Any) -> Any:
    """JSON for models, sets and the rest (Decimal, datetime) in their usual written form."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Untrusted):
        raise TypeError("text from outside is no part of a brief's own JSON")
    return str(value)
