"""Providers that answer in the test's own process: what an agent's unit is given instead of clients over a wire.

Each stands for an outside system, not for code of ours. A model answers from a function; an ad platform keeps what it
was given and reports from the curves of the sandbox's world; the others are whatever a test sets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from memory_ads import MemoryAds
from memory_audiences import MemoryAudiences
from memory_model import Answerer, MemoryModel, down, sandbox_answer

from integrations.errors import BadRequestError
from integrations.settings import Settings

C = TypeVar("C")


class _Missing:
    """A provider that no test has set; whatever is asked of it fails."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, asked: str) -> Any:
        raise AssertionError(f"{self._name}.{asked} is used, and the test has set no {self._name}")


class MemoryProviders:
    """The clients that a unit's context hands out."""

    def __init__(
        self,
        *,
        answer: Answerer = sandbox_answer,
        platforms: tuple[str, ...] = ("facebook_ads", "linkedin_ads"),
        seed: int = 7,
        world: dict[str, Any] | None = None,
        settings: Settings | None = None,
        **clients: Any,
    ) -> None:
        self.settings = settings or Settings.from_env({})
        self.models = MemoryModel(answer)
        self.platforms = {name: MemoryAds(name, seed=seed, world=world) for name in platforms}
        self.customer_lists: dict[str, MemoryAudiences] = {}
        self.search: Any = clients.get("search", _Missing("search"))
        self.web: Any = clients.get("web", _Missing("web"))
        self.dns: Any = clients.get("dns", _Missing("dns"))
        self.hunter: Any = clients.get("hunter", _Missing("hunter"))
        self.clients: dict[Any, Any] = {}  #: of plug-ins, by what builds them

    def ads(self, platform: str) -> MemoryAds:
        """The ad platform of that name."""
        if platform not in self.platforms:
            raise BadRequestError(platform, "is not supported")
        return self.platforms[platform]

    def audiences(self, platform: str) -> MemoryAudiences:
        """The customer lists of the ad platform of that name."""
        return self.customer_lists.setdefault(platform, MemoryAudiences(platform))

    def ad_campaigns(self) -> list[dict[str, Any]]:
        """What the ad platforms hold, as the sandbox lists it."""
        return [
            {
                "provider": platform.name,
                "id": kept.id,
                "name": kept.name,
                "effect_key": kept.effect_key,
                "status": kept.status,
                "daily_budget": str(kept.daily_budget),
            }
            for platform in self.platforms.values()
            for kept in platform.campaigns.values()
        ]

    @contextmanager
    def out_of_order(self, *names: str) -> Iterator[None]:
        """Platforms of these names, and the models under ``openai``, can't be reached while the block runs."""
        answer = self.models.answer
        self._switch(names, down if "openai" in names else answer, out=True)
        try:
            yield
        finally:
            self._switch(names, answer, out=False)

    def _switch(self, names: tuple[str, ...], answer: Answerer, *, out: bool) -> None:
        self.models.answer = answer
        for name in names:
            if name in self.platforms:
                self.platforms[name].down = out

    def client(self, build: Callable[[Settings], C]) -> C:
        """The client of a plug-in, as the test has set it or as ``build`` makes it."""
        if build not in self.clients:
            self.clients[build] = build(self.settings)
        found: C = self.clients[build]
        return found
