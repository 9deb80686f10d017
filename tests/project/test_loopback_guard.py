"""The guard must stop what leaves loopback, say so, and fail the run even when the code under test hid it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import loopback_guard
import pytest

SUPPORT = Path(loopback_guard.__file__).parent
# TEST-NET-1 (RFC 5737): an address that nobody has, so nothing is met even if the guard fails.
NOWHERE = "192.0.2.1"


def run_pytest(folder: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run ``body`` as a test file in a pytest of its own, with the guard's plugin and nothing else of
    ours."""
    (folder / "test_inner.py").write_text(textwrap.dedent(body))
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "loopback_plugin",
            "-p",
            "no:cacheprovider",
            "-q",
            *options,
            str(folder),
        ],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join([str(SUPPORT), os.environ["PYTHONPATH"]]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        "localhost",
        "LOCALHOST.",
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        b"localhost",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "::",
        socket.gethostname(),
    ],
)
def test_local(host: str | bytes | None) -> None:
    assert loopback_guard.is_local(host)


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        NOWHERE,
        "10.0.0.1",
        "2001:db8::1",
        "::ffff:192.0.2.1",
        "localhost.example.com",
        "127.0.0.1.example.com",
        b"example.com",
        "<broadcast>",
    ],
)
def test_not_local(host: str | bytes) -> None:
    assert not loopback_guard.is_local(host)


LEAVING = {
    "connect": f"socket.create_connection(('{NOWHERE}', 80), timeout=1)",
    "connect_ex": f"socket.socket().connect_ex(('{NOWHERE}', 80))",
    "sendto": f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('{NOWHERE}', 53))",
    "sendmsg": f"socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('{NOWHERE}', 53))",
    "getaddrinfo": "socket.getaddrinfo('example.com', 80)",
    "gethostbyname": "socket.gethostbyname('example.com')",
    "gethostbyaddr": f"socket.gethostbyaddr('{NOWHERE}')",
    "urllib": "urllib.request.urlopen('http://example.com', timeout=1)",
    "requests": f"requests.get('http://{NOWHERE}', timeout=1)",
    "asyncio": "asyncio.run(asyncio.open_connection('example.com', 80))",
}


def test_every_way_out_fails_its_test(tmp_path: Path) -> None:
    run = run_pytest(
        tmp_path,
        f"""
        import asyncio, socket, urllib.request
        import pytest, requests

        @pytest.mark.parametrize("statement", {list(LEAVING.values())!r}, ids={list(LEAVING)!r})
        def test_leaves(statement):
            exec(statement)
        """,
    )
    assert run.returncode == 1
    assert f"{len(LEAVING)} failed, {len(LEAVING)} errors" in run.stdout  # the exception, and the log
    assert "BeyondLoopback: socket.getaddrinfo of 'example.com': tests stay on loopback" in run.stdout
    for name in LEAVING:
        assert f"ERROR at teardown of test_leaves[{name}]" in run.stdout


def test_a_swallowed_violation_fails_the_test_that_caused_it(tmp_path: Path) -> None:
    run = run_pytest(
        tmp_path,
        f"""
        import contextlib, socket

        def test_before(): ...

        def test_swallows():
            with contextlib.suppress(BaseException):
                socket.create_connection(("{NOWHERE}", 80), timeout=1)

        def test_after(): ...
        """,
    )
    assert "3 passed, 1 error" in run.stdout
    assert "ERROR at teardown of test_swallows" in run.stdout
    assert run.returncode == 1


def test_a_violation_in_a_subprocess_fails_the_test(tmp_path: Path) -> None:
    run = run_pytest(
        tmp_path,
        f"""
        import subprocess, sys

        CHILD = '''
        import subprocess, sys
        GRANDCHILD = "import socket; socket.create_connection(('{NOWHERE}', 80), timeout=1)"
        subprocess.run([sys.executable, "-c", GRANDCHILD], stderr=subprocess.DEVNULL)
        '''

        def test_child():
            subprocess.run([sys.executable, "-c", CHILD.replace("\\n        ", "\\n")], check=True)
        """,
    )
    assert "1 passed, 1 error" in run.stdout
    assert f"socket.connect to ('{NOWHERE}', 80)" in run.stdout
    assert run.returncode == 1


def test_a_violation_in_a_parallel_run_fails_the_test_that_caused_it(tmp_path: Path) -> None:
    run = run_pytest(
        tmp_path,
        f"""
        import contextlib, socket, subprocess, sys
        import pytest

        LEAVE = "import socket; socket.create_connection(('{NOWHERE}', 80), timeout=1)"

        @pytest.mark.parametrize("number", range(4))
        def test_stays(number): ...

        def test_swallows():
            with contextlib.suppress(BaseException):
                exec(LEAVE)

        def test_child():
            subprocess.run([sys.executable, "-c", LEAVE], stderr=subprocess.DEVNULL)
        """,
        "-p",
        "xdist",
        "-n",
        "2",
    )
    assert "6 passed, 2 errors" in run.stdout
    for name in ("test_swallows", "test_child"):
        assert f"ERROR at teardown of {name}" in run.stdout
    assert run.returncode == 1


def test_a_late_violation_fails_the_run(tmp_path: Path) -> None:
    run = run_pytest(
        tmp_path,
        """
        import subprocess, sys
        import pytest

        @pytest.fixture(scope="session")
        def service():
            yield
            subprocess.run([sys.executable, "-c", "import socket; socket.getaddrinfo('example.com', 80)"])

        def test_last(service): ...
        """,
    )
    assert "1 passed, 1 error" in run.stdout
    assert "example.com" in run.stdout
    assert run.returncode == 1


def test_loopback_and_unix_sockets_pass(tmp_path: Path) -> None:
    run = run_pytest(
        tmp_path,
        """
        import os, socket, tempfile

        def test_stays():
            with socket.create_server(("127.0.0.1", 0)) as server:
                port = server.getsockname()[1]
                for host in ("127.0.0.1", "localhost"):
                    socket.create_connection((host, port), timeout=5).close()
            with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
                server.bind(os.path.join(folder, "s"))
                server.listen()
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(os.path.join(folder, "s"))
            left, right = socket.socketpair()
            with left, right:
                left.sendall(b"x")
            assert socket.getaddrinfo("192.0.2.1", 80)  # a literal is no question to anybody
        """,
    )
    assert run.returncode == 0, run.stdout


def test_this_run_is_guarded() -> None:
    assert loopback_guard.LOG_VARIABLE in os.environ
    code = "import sys; print(getattr(sys, '_loopback_guard', False))"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert child.stdout.strip() == "True"
