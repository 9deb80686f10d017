"""The providers that the sandbox speaks for: our own, and those that other packages bring.

The one list: a provider that is in it is served, faulted, reset and counted like the others. The
classes are imported when the sandbox starts, not before.
"""

from __future__ import annotations

from integrations.provider_plugins import extra_sandboxes
from integrations.sandbox.protocol import SandboxProvider


def providers() -> list[SandboxProvider]:
    """A new instance of every sandboxed provider."""
    from integrations.ads.facebook.sandbox import FacebookSandbox
    from integrations.ads.linkedin.sandbox import LinkedInAdsSandbox
    from integrations.sandbox.hunter import HunterSandbox
    from integrations.sandbox.openai import OpenAISandbox
    from integrations.sandbox.serpapi import SerpApiSandbox
    from integrations.sandbox.sites import SitesSandbox

    return [
        OpenAISandbox(),
        SerpApiSandbox(),
        HunterSandbox(),
        SitesSandbox(),
        FacebookSandbox(),
        LinkedInAdsSandbox(),
        *extra_sandboxes(),
    ]
