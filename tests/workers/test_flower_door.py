"""Flower behind its door: nobody sees data without the login, under a foreign name or in a frame."""

from __future__ import annotations

import base64
import http.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_flower import ServedFlower

from workers.flower_door import generated_login, host_name, is_served
from workers.services.home import Home

PAGES = ("/", "/workers", "/tasks", "/task/1", "/broker", "/metrics", "/nothing", "/login")
API = ("/api/workers", "/api/tasks", "/api/task/types", "/api/queues/length")
OPEN = ("/healthcheck", "/static/css/flower.css")


class Served(ServedFlower):
    """Flower with the login of its home."""

    def __init__(self, home: Path) -> None:
        self.login = generated_login(Home(home).create())
        super().__init__()

    def get(self, path: str, *, login: str | None = None, host: str = "", method: str = "GET") -> Any:
        """The answer to a request: a response of http.client, its body in ``text``."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Host": host or f"127.0.0.1:{self.port}"}
        if login is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        connection.request(method, path, headers=headers)
        answer: Any = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    from tornado.options import options

    home = tmp_path_factory.mktemp("flower")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARKETING_HOME", str(home))
        patch.setenv("FLOWER_ALLOWED_HOSTS", "Flower.Example.com, 10.0.0.7")
        patch.setattr(options.mockable(), "inspect_timeout", 100.0)
        patch.setattr(options.mockable(), "basic_auth", [])  # set by the application, and put back
        served = Served(home)
        yield served
        served.close()


@pytest.mark.parametrize("path", [*PAGES, *API])
def test_a_page_needs_the_login(flower: Served, path: str) -> None:
    for wrong in (None, "marketing:", "marketing:guess", ":", "prénom:x"):
        answer = flower.get(path, login=wrong)
        assert answer.status == 401
        assert "celery" not in answer.text.lower()
    if path in ("/", "/tasks", "/metrics", "/api/tasks"):
        assert flower.get(path, login=flower.login).status == 200


@pytest.mark.parametrize("path", OPEN)
def test_what_holds_no_data_is_open(flower: Served, path: str) -> None:
    assert flower.get(path).status == 200


@pytest.mark.parametrize("path", [*PAGES, *API, OPEN[1]])
@pytest.mark.parametrize("host", ["attacker.example", "attacker.example:5555", "127.0.0.1.attacker.example"])
def test_a_foreign_name_is_refused_even_with_the_login(flower: Served, path: str, host: str) -> None:
    answer = flower.get(path, login=flower.login, host=host)
    assert answer.status == 421
    if path == "/tasks":
        assert answer.text == f"Flower isn't served under this name: add {host_name(host)} to FLOWER_ALLOWED_HOSTS"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "[::1]:5555", "flower.example.com.", "10.0.0.7:1"])
def test_its_own_names_are_served(flower: Served, host: str) -> None:
    assert flower.get("/tasks", login=flower.login, host=host).status == 200


def test_probes_may_use_any_name(flower: Served) -> None:
    assert flower.get("/healthcheck", host="10.1.2.3:5555").status == 200


@pytest.mark.parametrize("path", [*PAGES, *API, *OPEN])
def test_nothing_is_shown_in_a_frame(flower: Served, path: str) -> None:
    for answer in (flower.get(path), flower.get(path, login=flower.login, host="attacker.example")):
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'none'"


def test_the_generated_login_is_its_owners(flower: Served, tmp_path: Path) -> None:
    home = Home(tmp_path).create()
    login = generated_login(home)
    assert login != flower.login
    assert login.startswith("marketing:")
    assert generated_login(home) == login
    assert (home.run / "flower.login").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "name"),
    [("a.b:1", "a.b"), ("[::1]:5", "::1"), ("::1", "::1"), ("A.", "a"), (" h ", "h"), ("", "")],
)
def test_the_name_in_a_host_header(text: str, name: str) -> None:
    assert host_name(text) == name


def test_loopback_is_served_and_nothing_else() -> None:
    assert all(is_served(name, ()) for name in ("localhost", "127.0.0.1", "127.1.2.3", "::1"))
    assert not any(is_served(name, ()) for name in ("", "0.0.0.0", "10.0.0.1", "localhost.example", "a"))
