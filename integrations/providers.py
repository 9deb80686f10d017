"""Clients of all providers, each built on first use.

Invariant: importing this module loads no client library of a provider, so that a worker that places no ads needs no
memory for the ad SDKs.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, TypeVar, cast

from integrations.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from integrations.ads.audience import AudienceTarget
    from integrations.ads.platform import AdPlatform
    from integrations.delivery.target import DeliveryTarget
    from integrations.dns import Dns
    from integrations.hunter import Hunter
    from integrations.llm.embeddings import Embeddings
    from integrations.llm.models import ChatModels
    from integrations.serpapi import SerpApi
    from integrations.web.fetch import WebFetcher


C = TypeVar("C")


class Providers:
    """Shared clients, built on first use and safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._built: dict[object, object] = {}
        self._lock = Lock()

    def _once(self, name: object, build: Callable[[], C]) -> C:
        found = self._built.get(name)
        if found is None:
            with self._lock:
                found = self._built.get(name)
                if found is None:
                    found = self._built[name] = build()
        return cast("C", found)

    @property
    def models(self) -> ChatModels:
        """Language models."""
        from integrations.llm.models import ChatModels

        client: ChatModels = self._once("models", lambda: ChatModels(self.settings))
        return client

    @property
    def embeddings(self) -> Embeddings:
        """Vectors of texts."""
        from integrations.llm.embeddings import Embeddings

        client: Embeddings = self._once("embeddings", lambda: Embeddings(self.settings))
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
        """Return the client of a plug-in, which ``build`` makes of the settings on first use.

        ``build`` is a class or a function of a module, and is the key under which the client is kept.
        """
        client: C = self._once(build, lambda: build(self.settings))
        return client

    def ads(self, platform: str) -> AdPlatform:
        """Return the client of the ad platform with that canonical name.

        Raises BadRequestError when there is no client for it.
        """
        from integrations.ads.registry import build

        client: AdPlatform = self._once(f"ads:{platform}", lambda: build(platform, self.settings))
        return client

    def audiences(self, platform: str) -> AudienceTarget:
        """Return the client of the customer lists on the ad platform with that canonical name.

        Raises BadRequestError when it has none.
        """
        from integrations.ads.registry import audiences

        client: AudienceTarget = self._once(f"audiences:{platform}", lambda: audiences(platform, self.settings))
        return client

    def place(self, target: str) -> DeliveryTarget:
        """Return the client of the place with that name that leads are delivered to."""
        from integrations.delivery.registry import TARGETS

        client: DeliveryTarget = self._once(f"delivery:{target}", lambda: TARGETS[target].build(self.settings))
        return client
