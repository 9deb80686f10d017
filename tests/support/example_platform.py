"""A sandbox that has the example of an ad platform in it, which this process has too while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import checkout
import stack
from ad_platforms import KEY, Wire
from plugin_package import importable, install, python_path

from integrations.ads.platform import AdPlatform
from integrations.ads.registry import build
from integrations.settings import Settings

EXAMPLE = checkout.ROOT / "examples/plugins/marketing-tiktok-ads"
PLATFORMS = ("facebook_ads", "google_ads", "linkedin_ads", "tiktok_ads")


@contextmanager
def sandbox_with_example(site: Path, folder: Path) -> Iterator[stack.Sandbox]:
    """Install the example in ``site``, and run a sandbox that keeps its files in ``folder``."""
    install(EXAMPLE, site)
    with importable(site), stack.running_sandbox(folder, env={"PYTHONPATH": python_path(site)}) as sandbox:
        yield sandbox


def client(name: str, sandbox: stack.Sandbox) -> AdPlatform:
    """A client of the platform ``name`` at a sandbox that holds nothing."""
    built = build(name, Settings.from_env({"SANDBOX_URL": sandbox.url}))
    # What is loaded or fetched once a process, here and in the sandbox: messages of an SDK, an access token.
    built.account(wire=Wire(60))
    built.find_by_key(KEY, wire=Wire(60))
    sandbox.reset()
    return built
