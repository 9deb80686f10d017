"""What tests of the model client ask, and clients that are closed after the test."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, Field

from integrations.llm.models import ChatModels
from integrations.settings import Settings


class City(BaseModel):
    name: str = Field(max_length=80)
    inhabitants: int = Field(ge=0)
    tags: list[str] = []


QUESTION = [{"role": "system", "content": "You know cities."}, {"role": "user", "content": "Name one."}]
PARIS = json.dumps({"name": "Paris", "inhabitants": 2_100_000, "tags": []})


class Connect:
    """Makes clients of a server, and closes them."""

    def __init__(self) -> None:
        self._opened: list[ChatModels] = []

    def __call__(self, url: str, **env: str) -> ChatModels:
        settings = Settings.from_env({"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-test-1234", **env})
        self._opened.append(ChatModels(settings))
        return self._opened[-1]

    def close(self) -> None:
        for models in self._opened:
            models.close()


def ask(models: ChatModels, **options: Any) -> Any:
    return models.complete(
        QUESTION, **{"schema": City.model_json_schema(), "schema_name": "City", "timeout": 5.0, **options}
    )
