"""One Redis, named in every form: a message through the broker, a result, a client, each against the real server."""

from __future__ import annotations

import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import stack

from integrations.redis_client import redis_client
from orchestration.execution.canvas import producer
from workers.cli.connection import check_redis
from workers.services import ServiceError
from workers.services.redis_program import find_server

pytestmark = [
    pytest.mark.slow,
    # Celery's result store calls it.
    pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning"),
]

WATCHED = "sentinel_password=watch"
PASSWORD, QUOTED = "p#w/d[@:%;", "p%23w%2Fd%5B%40%3A%25%3B"


@dataclass(frozen=True)
class Servers:
    """A Redis with a password, a Sentinel that knows it as ``main``, TLS in front of it."""

    folder: Path
    port: int
    sentinel: int
    tls: int

    def url(self, form: str) -> str:
        """The URL with the places of ``form`` filled in."""
        return form.format(pw=QUOTED, port=self.port, sentinel=self.sentinel, tls=self.tls, folder=self.folder)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    program = str(find_server().path)
    with tempfile.TemporaryDirectory(prefix="rds-") as name, socket.create_server(("127.0.0.1", 0)) as tls:
        folder = Path(name)
        found = Servers(folder, free_port(), free_port(), int(tls.getsockname()[1]))
        (folder / "redis.conf").write_text(
            f'port {found.port}\nbind 127.0.0.1\nunixsocket "{folder}/r s.sock"\nrequirepass "{PASSWORD}"\n'
            f'save ""\ndir {folder}\n'
        )
        (folder / "sentinel.conf").write_text(
            f"port {found.sentinel}\nbind 127.0.0.1\nrequirepass watch\n"
            f"sentinel monitor main 127.0.0.1 {found.port} 1\n"
            f'sentinel auth-pass main "{PASSWORD}"\n'
        )
        _certificate(folder)
        threading.Thread(target=_serve_tls, args=(tls, folder, found.port), daemon=True).start()
        processes = [
            subprocess.Popen([program, str(folder / "redis.conf")], stdout=subprocess.DEVNULL),
            subprocess.Popen([program, str(folder / "sentinel.conf"), "--sentinel"], stdout=subprocess.DEVNULL),
        ]
        try:
            for form in ("redis://:{pw}@127.0.0.1:{port}", "sentinel://:{pw}@127.0.0.1:{sentinel}/main?" + WATCHED):
                stack.wait_until(lambda form=form: _answers(found.url(form)), message=form)
            yield found
        finally:
            for process in processes:
                stack.stop(process)


def _answers(url: str) -> bool:
    try:
        return check_redis(url) < 60
    except ServiceError:
        return False


def _certificate(folder: Path) -> None:
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([*command.split(), *files], capture_output=True, check=True)


def _serve_tls(listening: socket.socket, folder: Path, port: int) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    while True:
        try:
            client = listening.accept()[0]
        except OSError:  # the test is over
            return
        threading.Thread(target=_pass_on, args=(context, client, port), daemon=True).start()


def _pass_on(context: ssl.SSLContext, plain: socket.socket, port: int) -> None:
    try:
        with (
            context.wrap_socket(plain, server_side=True) as client,
            socket.create_connection(("127.0.0.1", port)) as to,
        ):
            threading.Thread(target=_pump, args=(to, client), daemon=True).start()
            _pump(client, to)
    except OSError:
        plain.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


def assert_it_works(url: str) -> None:
    with redis_client(url, timeout_s=3) as client, producer(url) as app:
        client.flushdb()
        app.send_task("analytics.hop", args=("c", 1), queue="analytics", ignore_result=True)
        assert client.llen("analytics") == 1
        with app.connection_for_read() as connection:
            message = connection.SimpleQueue("analytics").get(timeout=3)
            assert message.headers["task"] == "analytics.hop"
            message.ack()
        app.backend.store_result("one", 5, "SUCCESS")
        assert app.backend.get_result("one") == 5
        assert client.exists("celery-task-meta-one")  # in the broker's own database
        assert "p#w" not in app.connection().as_uri() + app.backend.as_uri()


@pytest.mark.parametrize(
    "form",
    [
        "redis://:{pw}@127.0.0.1:{port}/15",  # the last database
        "redis://default:{pw}@127.0.0.1:{port}/?db=3&socket_timeout=3&client_name=mine",
        "unix://:{pw}@{folder}/r%20s.sock?db=2",
        "redis+socket://:{pw}@{folder}/r%20s.sock?virtual_host=15",
        "sentinel://:{pw}@127.0.0.1:{sentinel},127.0.0.1:{sentinel}/main/4?" + WATCHED,
        "sentinel://:{pw}@127.0.0.1:{sentinel};sentinel://:{pw}@127.0.0.1:{sentinel}/5?master_name=main&" + WATCHED,
    ],
)
def test_a_form_works(servers: Servers, form: str) -> None:
    assert_it_works(servers.url(form))


def test_tls_trusts_what_the_system_trusts(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    url = servers.url("rediss://:{pw}@127.0.0.1:{tls}/6")
    with pytest.raises(ServiceError, match=r"CERTIFICATE_VERIFY_FAILED.*; set SSL_CERT_FILE, or add \?ssl_ca_certs="):
        check_redis(url)
    assert_it_works(f"{url}?ssl_ca_certs={servers.folder}/cert.pem")
    monkeypatch.setenv("SSL_CERT_FILE", f"{servers.folder}/cert.pem")
    assert_it_works(url)
