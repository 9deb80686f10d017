"""Providers that answer in the test's own process: what an agent's unit is given instead of clients over a wire.

Each stands for an outside system, not for code of ours. A model answers from a function; an ad platform keeps what it
was given and reports from the curves of the sandbox's world; the others are whatever a test sets.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from memory_ads import MemoryAds
from memory_model import Answerer, MemoryModel, sandbox_answer

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

    def client(self, build: Callable[[Settings], C]) -> C:
        """The client of a plug-in, as the test has set it or as ``build`` makes it."""
        if build not in self.clients:
            self.clients[build] = build(self.settings)
        found: C = self.clients[build]
        return found
