"""The command ``campaigns`` in processes with an environment of their own, whose imports are made once.

Each command is a process of its own, forked from one that has loaded what commands load: a start costs a tenth of a
new interpreter's. Invariant: what one command leaves in its process never reaches the next.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from command_line import Answer

_PROGRAM = """
import json, os, sys, tempfile
from agents.registry import agents
import orchestration.client, workers.cli.campaigns, workers.cli.run, workers.cli.verbs
from workers.cli import main
agents()

def run(arguments, out, err):
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

for line in sys.stdin:
    asked = json.loads(line)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            os.environ.update(asked["env"])
            run(asked["arguments"], out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
    print(json.dumps({"code": code, "out": texts[0], "err": texts[1]}), flush=True)
"""


class CommandServer:
    """Runs commands one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *arguments: str, **env: str) -> Answer:
        """What ``campaigns`` with these arguments says; ``env``: on top of the server's own."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps({"arguments": arguments, "env": env}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the server of commands has ended"
        return Answer(**json.loads(line))


@contextmanager
def command_server(env: Mapping[str, str]) -> Iterator[CommandServer]:
    """A server whose commands have this environment."""
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(env)
    )
    try:
        yield CommandServer(process)
    finally:
        process.communicate(timeout=30)
