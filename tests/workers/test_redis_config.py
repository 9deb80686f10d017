"""Which program the embedded Redis is, and what its configuration file closes."""

from __future__ import annotations

from pathlib import Path

import pytest

from workers.services.redis_config import configuration
from workers.services.redis_program import RedisProgram, find_server


def written(version: tuple[int, int], folder: str = "/srv/redis") -> list[str]:
    program = RedisProgram(Path("/bin/redis-server"), version)
    return configuration(program, port=7, folder=Path(folder), password="pw").splitlines()


@pytest.mark.parametrize("version", [(6, 2), (7, 0), (8, 4)])
def test_every_version_asks_for_the_password_on_loopback(version: tuple[int, int]) -> None:
    lines = written(version)
    for line in ('bind "127.0.0.1"', 'port "7"', 'protected-mode "yes"', 'requirepass "pw"'):
        assert line in lines


def test_code_cannot_be_loaded_and_files_cannot_be_chosen() -> None:
    closed = {f'enable-{name} "no"' for name in ("protected-configs", "debug-command", "module-command")}
    assert closed <= set(written((7, 0)))
    renamed = {f'rename-command "{name}" ""' for name in ("DEBUG", "MODULE", "MIGRATE")}
    assert renamed <= set(written((6, 2)))
    assert not closed & set(written((6, 2)))


def test_any_folder_can_be_written() -> None:
    line = next(line for line in written((7, 0), '/a "b\\c\n/prénom') if line.startswith("dir "))
    assert line == r'dir "/a \x22b\x5cc\x0a/pr\xc3\xa9nom"'


def test_the_newest_program_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("redis-server", "6.2.1"), ("valkey-server", "9.0.1")):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{name} v={version} sha=0:0'\n")
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_server() == RedisProgram(tmp_path / "valkey-server", (9, 0))
