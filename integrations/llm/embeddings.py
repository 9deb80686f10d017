"""Client for embeddings of any OpenAI-compatible server, through langchain-openai.

The server is that of EMBEDDING_BASE_URL, else the language model's own. The library's object gives the request's form;
its own methods drop the usage, so the request goes through the client that it holds. Invariants: langchain and openai
are loaded by the first call; all errors are those of :mod:`integrations.errors`; what is returned are vectors of length
1, one per text, all of one size.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING

from integrations.errors import CredentialsError, TransientError
from integrations.http import CONNECT_TIMEOUT_S, credential, fits_header
from integrations.llm.body import JsonObject, UnreadableBodyError
from integrations.llm.completion import CHARS_PER_TOKEN
from integrations.llm.errors import MALFORMED, PROVIDER, translate
from integrations.llm.prices import embedding_cost, tokens_upper_bound
from integrations.llm.transport import http_client
from integrations.settings import Settings
from integrations.usage import Usage

if TYPE_CHECKING:
    import httpx2
    from langchain_openai import OpenAIEmbeddings

MAX_BATCH = 64  #: texts of one call; servers take from 32 (small ones) to 2048
MAX_SIZE = 4000  #: dimensions that Postgres keeps in one row
MAX_TEXT_CHARS = 8000


@dataclass(frozen=True, slots=True)
class EmbeddedTexts:
    """Vectors of some texts, in their order, and what they cost."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage


class Embeddings:
    """Client for the embedding model that the settings name, safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._http: httpx2.Client | None = None
        self._made: OpenAIEmbeddings | None = None
        self._closing: weakref.finalize[[], Embeddings] | None = None

    def embed(self, texts: Sequence[str], *, timeout: float) -> EmbeddedTexts:
        """Return the vectors of up to MAX_BATCH texts, ``timeout`` in seconds being for the whole call.

        Raises errors by the table in :mod:`integrations.llm.errors`; TransientError with ``detail`` MALFORMED for an
        answer that doesn't have one vector of numbers per text.
        """
        model, key = self._settings.embedding_model, self._key()
        sent = [text[:MAX_TEXT_CHARS] or " " for text in texts]
        try:
            import openai

            limit = openai.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT_S))
            said = self._client(key).client.create(input=sent, model=model, encoding_format="float", timeout=limit)
        except Exception as error:
            raise translate(error, key=key, answer="list of vectors") from None
        vectors = tuple(map(_normal, (one.embedding for one in sorted(said.data, key=lambda one: one.index))))
        sizes = {len(vector) for vector in vectors}
        if len(vectors) != len(texts) or len(sizes) != 1 or not 1 <= max(sizes) <= MAX_SIZE:
            text = f"{len(vectors)} vectors of {sorted(sizes)} dimensions came for {len(texts)} texts"
            raise TransientError(PROVIDER, text, detail=MALFORMED)
        tokens = min(said.usage.prompt_tokens or sum(map(len, sent)) // CHARS_PER_TOKEN + 1, tokens_upper_bound(sent))
        return EmbeddedTexts(
            vectors, Usage(provider=PROVIDER, model=model, input_tokens=tokens, cost=self._cost(tokens))
        )

    def upper_bound(self, texts: Sequence[str]) -> Decimal | None:
        """Return the USD that embedding these texts can cost at most, or None without a known price."""
        return self._cost(tokens_upper_bound(text[:MAX_TEXT_CHARS] for text in texts))

    def _cost(self, tokens: int) -> Decimal | None:
        settings = self._settings
        return embedding_cost(settings.embedding_model, tokens, settings.llm_prices, base_url=settings.embedding_url)

    def close(self) -> None:
        """Close the connections, which the next call opens again.

        Garbage collection of the object does it, too.
        """
        with self._lock:
            if self._closing is not None:
                self._closing()
            self._http = self._made = self._closing = None

    def _key(self) -> str:
        """Return the server's key, which is the language model's only where the server is.

        Raises CredentialsError when it is missing or can't be sent.
        """
        own, settings = self._settings.embedding_api_key, self._settings
        if own is not None and not fits_header(own):
            raise CredentialsError(PROVIDER, "EMBEDDING_API_KEY holds a character that no key has")
        if settings.embedding_base_url:
            return own or "none"
        return own or credential(settings.provider(PROVIDER), "api_key")

    def _client(self, key: str) -> OpenAIEmbeddings:
        with self._lock:
            if self._made is None:
                from langchain_openai import OpenAIEmbeddings
                from pydantic import SecretStr

                settings = self._settings
                self._http = http_client(
                    settings.embedding_url, settings.provider(PROVIDER).reach, read=plain_embeddings
                )
                self._closing = weakref.finalize(self, self._http.close)
                self._made = OpenAIEmbeddings(
                    model=settings.embedding_model,
                    openai_api_base=settings.embedding_url,
                    openai_api_key=SecretStr(key),
                    http_client=self._http,
                    openai_proxy=None,
                    max_retries=0,  # the caller decides about retries
                    check_embedding_ctx_length=False,  # else it downloads a tokenizer and sends numbers for texts
                )
            return self._made


def plain_embeddings(body: JsonObject) -> dict[str, object]:
    """Return the answer in a body as the protocol's own form: vectors as numbers, in their order, and the usage.

    Raises UnreadableBodyError when it holds none.
    """
    data = body.get("data")
    if not isinstance(data, list) or not data:
        raise UnreadableBodyError("it lacks the field data")
    rows = []
    for place, one in enumerate(data):
        vector = one.get("embedding") if isinstance(one, Mapping) else None
        if not isinstance(vector, list) or not all(_is_number(value) for value in vector):
            raise UnreadableBodyError(f"data[{place}].embedding is no list of numbers")
        index = one.get("index")
        rows.append({"object": "embedding", "index": index if isinstance(index, int) else place, "embedding": vector})
    usage = body.get("usage")
    tokens = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
    counted = tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0 else 0
    model = body.get("model")
    return {
        "object": "list",
        "data": rows,
        "model": model if isinstance(model, str) else "",
        "usage": {"prompt_tokens": counted, "total_tokens": counted},
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6


def _normal(vector: Sequence[float]) -> tuple[float, ...]:
    """Return a vector in its direction and of length 1.

    Raises TransientError for one without a direction.
    """
    length = math.hypot(*vector)
    if not 0 < length < math.inf:
        raise TransientError(PROVIDER, "a vector has no direction", detail=MALFORMED)
    return tuple(value / length for value in vector)
