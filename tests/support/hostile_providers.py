"""SerpApi, Hunter, a web site and a name server on loopback, half of whose answers are bent (:mod:`mutations`)."""

from __future__ import annotations

import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from mutations import bent_bytes, bent_json
from raw_server import raw_server

SEARCH = {
    "search_metadata": {"status": "Success"},
    "organic_results": [
        {"position": 1, "title": "Jane Roe - CEO - Acme | LinkedIn", "link": "https://www.linkedin.com/in/janeroe"},
        {"position": 2, "title": "Bo Day - CTO - Bolt | LinkedIn", "link": "https://www.linkedin.com/in/boday"},
        {"position": 3, "title": "Acme", "link": "https://acme.example/", "snippet": "We build.", "source": "Acme"},
    ],
}
FACTS = {"domain": "acme.example", "organization": "Acme", "industry": "Software", "headcount": "51-200", "emails": []}
GOOD = {
    "search.json": SEARCH,
    "email-finder": {"data": {"email": "jane@acme.example", "score": 97, "position": "CEO"}},
    "email-verifier": {"data": {"status": "valid", "score": 90}},
    "domain-search": {"data": FACTS},
}
PAGE = b"""<!doctype html><title>Acme</title><script type="application/ld+json">{"@type": "Person", "name": "Amy Fox",
"jobTitle": "CEO", "email": "amy@acme.example"}</script><h3>John Poe</h3><p>CTO, john [at] acme [dot] example</p>
<a href="/team">Team</a><a href="about?x=1">About</a> We are a team of 45 people."""
ROBOTS = b"User-agent: *\nDisallow: /private\n"
_HEADS = (
    *(b"X-Odd: \xff\x00\xfe", b"Retry-After: 1e999", b"Retry-After: \xb2", b"X-Long: " + b"y" * 9000, b"No colon here"),
    *(b"Content-Type: text/html; charset=punycode", b"Location: http://[bad", b"Content-Encoding: gzip"),
)


@dataclass
class HostileProviders:
    """Where they listen, and what they were asked for."""

    url: str = ""
    resolver: str = ""
    asked: Counter[str] = field(default_factory=Counter)


@contextmanager
def hostile_providers(seed: int) -> Iterator[HostileProviders]:
    """Run them; the same seed and the same questions in the same order give the same answers."""
    rng, lock, found = random.Random(seed), threading.Lock(), HostileProviders()

    def answer(peer: socket.socket, over: threading.Event) -> None:
        del over
        with lock:
            what = server.requests[-1].split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2].decode("latin-1")
            found.asked[what] += 1
            sent = _answer(what, rng)
        peer.sendall(sent)

    with raw_server(answer) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as names:
        names.bind(("127.0.0.1", 0))
        found.url, found.resolver = server.url, f"127.0.0.1:{names.getsockname()[1]}"
        thread = threading.Thread(target=_name_server, args=(names, rng))
        thread.start()
        try:
            yield found
        finally:
            with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", names.getsockname())
            thread.join()


def _answer(what: str, rng: random.Random) -> bytes:
    """One whole answer on the wire, head and body."""
    spoil = rng.random() < 0.5
    if what in GOOD:
        body = bent_json(GOOD[what], rng) if spoil else json.dumps(GOOD[what]).encode()
        kind = b"application/json"
    else:
        body, kind = (ROBOTS, b"text/plain") if what == "robots.txt" else (PAGE, b"text/html; charset=utf-8")
        body = bent_bytes(body, rng) if spoil else body
    status = rng.choice((200, 200, 200, 200, 200, 200, 302, 404, 429, 503)) if spoil else 200
    heads = [
        b"Content-Type: " + kind,
        b"Content-Length: %d" % (len(body) + (rng.random() < 0.05)),
        b"Connection: close",
    ]
    if spoil and rng.random() < 0.3:
        heads.insert(0, rng.choice(_HEADS))
    return b"HTTP/1.1 %d Said\r\n" % status + b"\r\n".join(heads) + b"\r\n\r\n" + body


def _name_server(names: socket.socket, rng: random.Random) -> None:
    """Answer each question with one address of documentation (RFC 5737), one in five bent behind its number."""
    while True:
        question, sender = names.recvfrom(4096)
        if not question:
            return
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x07"
        said = b"\x81\x80" + question[4:6] + b"\x00\x01\x00\x00\x00\x00" + question[12:] + record
        names.sendto(question[:2] + (bent_bytes(said, rng) if rng.random() < 0.2 else said), sender)
