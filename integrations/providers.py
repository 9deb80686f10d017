"""The clients of the outside world in one place, each built on first use.

Invariant: importing this module loads no provider's client. A worker that never places an ad never
pays for the ad SDKs' memory.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from integrations.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from integrations.ads.platform import AdPlatform
    from integrations.dns import Dns
    from integrations.hunter import Hunter
    from integrations.llm.models import ChatModels
    from integrations.serpapi import SerpApi
    from integrations.web.fetch import WebFetcher


C = TypeVar("C")


class Providers:
    """Lazily built, shared clients; every client is safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._built: dict[object, Any] = {}
        self._lock = Lock()

    def _once(self, name: object, build: Callable[[], Any]) -> Any:
        found = self._built.get(name)
        if found is None:
            with self._lock:
                found = self._built.get(name)
                if found is None:
                    found = self._built[name] = build()
        return found

    @property
    def models(self) -> ChatModels:
        """Language models."""
        from integrations.llm.models import ChatModels

        client: ChatModels = self._once("models", lambda: ChatModels(self.settings))
        return client

    @property
    def search(self) -> SerpApi:
        """Web search."""
        from integrations.serpapi import SerpApi

        client: SerpApi = self._once("search", lambda: SerpApi(self.settings))
        return client

    @property
    def web(self) -> WebFetcher:
        """Company web sites, within robots.txt."""
        from integrations.web.fetch import WebFetcher

        client: WebFetcher = self._once("web", lambda: WebFetcher(self.settings))
        return client

    @property
    def dns(self) -> Dns:
        """Name resolution for mail domains and web hosts."""
        from integrations.dns import Dns

        client: Dns = self._once("dns", lambda: Dns(self.settings))
        return client

    @property
    def hunter(self) -> Hunter:
        """E-mail finding and verification."""
        from integrations.hunter import Hunter

        client: Hunter = self._once("hunter", lambda: Hunter(self.settings))
        return client

    def client(self, build: Callable[[Settings], C]) -> C:
        """Return the client that ``build`` makes of the settings, made on first use: a plug-in's own.

        ``build`` is a class or a function of a module, which the client is kept by.
        """
        client: C = self._once(build, lambda: build(self.settings))
        return client

    def ads(self, platform: str) -> AdPlatform:
        """The ad platform of that canonical name; BadRequestError for one we have no client for."""
        from integrations.ads import build

        client: AdPlatform = self._once(f"ads:{platform}", lambda: build(platform, self.settings))
        return client
