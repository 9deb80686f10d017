"""A stranger's OpenAI-compatible server: no sandbox, no knowledge of our prompts.

It fills whatever JSON schema it is given and wraps its answer in prose and a code fence, as small local
models do.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = "Our release automation platform helps engineering teams ship better software every week without surprises."


def fill(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """Some value that the schema allows."""
    if "$ref" in schema:
        return fill(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "anyOf" in schema:
        return fill(schema["anyOf"][0], root)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: fill(inner, root) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        count = max(3, schema.get("minItems", 0))
        return [fill(schema["items"], root) for _ in range(min(count, schema.get("maxItems", count)))]
    if kind == "integer":
        return int(schema.get("minimum", 1))
    if kind == "number":
        return float(schema.get("minimum", 0.5))
    if kind == "boolean":
        return True
    text = (WORDS + " ") * 30
    return text[: min(schema.get("maxLength", 1500), 1500)].strip()


@dataclass
class Stranger:
    """The running server and what it was asked."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


@contextmanager
def running_stranger(*, prose_only: bool = False) -> Iterator[Stranger]:
    """Serve on a free loopback port; ``prose_only``: a model that can't write JSON at all."""
    stranger = Stranger(url="")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            stranger.requests.append(body)
            stranger.keys.add(self.headers.get("authorization", ""))
            schema = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
            if prose_only:
                schema = None
            content = (
                "Sure!\n```json\n" + json.dumps(fill(schema, schema)) + "\n```\nAnything else?" if schema else WORDS
            )
            answer = {
                "id": "x1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
                ],
                "usage": {"prompt_tokens": 50, "completion_tokens": 70, "total_tokens": 120},
            }
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stranger.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stranger
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
