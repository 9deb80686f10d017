"""Providers that the sandbox speaks for: our own, and those that other packages bring.

The one list: a provider that is in it is served, faulted, reset and counted like the others. The
classes are imported when the sandbox starts, not before.
"""

from __future__ import annotations

from integrations.provider_registry import plugin_sandboxes
from integrations.sandbox.protocol import SandboxProvider


def providers() -> list[SandboxProvider]:
    """Return a new instance of every sandboxed provider."""
    from integrations.sandbox.clearbit import ClearbitSandbox
    from integrations.sandbox.hubspot import HubSpotSandbox
    from integrations.sandbox.hunter import HunterSandbox
    from integrations.sandbox.openai import OpenAISandbox
    from integrations.sandbox.pdl import PdlSandbox
    from integrations.sandbox.salesforce import SalesforceSandbox
    from integrations.sandbox.serpapi import SerpApiSandbox
    from integrations.sandbox.sites import SitesSandbox
    from integrations.sandbox.webhook import WebhookSandbox
    from integrations.sandbox.x import XSandbox

    return [
        OpenAISandbox(),
        SerpApiSandbox(),
        HunterSandbox(),
        ClearbitSandbox(),
        XSandbox(),
        PdlSandbox(),
        SitesSandbox(),
        WebhookSandbox(),
        HubSpotSandbox(),
        SalesforceSandbox(),
        *plugin_sandboxes(),
    ]
