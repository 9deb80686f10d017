"""The providers that the sandbox speaks for.

The one list: a provider that is added here is served, faulted, reset and counted like the others. The
classes are imported when the sandbox starts, not before.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from integrations.sandbox.protocol import SandboxProvider

_CLASSES = (
    ("integrations.sandbox.openai", "OpenAISandbox"),
    ("integrations.sandbox.serpapi", "SerpApiSandbox"),
    ("integrations.sandbox.hunter", "HunterSandbox"),
    ("integrations.sandbox.sites", "SitesSandbox"),
    ("integrations.sandbox.facebook", "FacebookSandbox"),
    ("integrations.sandbox.linkedin_ads", "LinkedInAdsSandbox"),
)


def providers() -> list[SandboxProvider]:
    """A new instance of every sandboxed provider."""
    return [getattr(import_module(module), name)() for module, name in _CLASSES if find_spec(module)]
