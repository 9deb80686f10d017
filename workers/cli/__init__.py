"""Command ``campaigns``: its subcommands by name, and what each kind of error means to a shell.

Invariant: exit statuses are decided here and nowhere else. Importing this package loads click and nothing heavier; a
command imports what it needs when it runs, so that ``campaigns --help`` answers at once.

===== ============================================================================================
0     done
1     the campaign failed, or was cancelled; of ``act``, ``undo`` and ``budget``: a platform refused; of ``doctor``:
      nothing moves, or a provider can't be used
2     bad input: the file, a setting, an option, a key used before; what the campaign's state or the database's
      world does not allow
3     there is no such campaign
4     a service can't be reached or started; of ``act``, ``undo`` and ``budget``: ordered, but no worker is there
70    a defect of this program; the details are in the log it names
130   Ctrl-C (128 + the signal's number, so 143 for SIGTERM, 141 for a closed pipe)
===== ============================================================================================
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from workers.cli.act import act_command, undo_command
from workers.cli.actions import actions_command
from workers.cli.breaker import breaker_group
from workers.cli.budget import budget_command
from workers.cli.campaigns import export, history, list_campaigns, show, submit, watch
from workers.cli.content import content_command, edit_command
from workers.cli.doctor import doctor_command
from workers.cli.erase import erase_command
from workers.cli.knowledge import knowledge_group
from workers.cli.leads import leads_group
from workers.cli.limits import limits_command
from workers.cli.migrate import migrate_command
from workers.cli.optimize import optimize_command
from workers.cli.outcome import outcome_command
from workers.cli.output import clean, note, print_json, tolerate_any_encoding
from workers.cli.run import run_command
from workers.cli.schedules import schedule_group
from workers.cli.spend import spend_command
from workers.cli.stopping import Stopped, stop_on_sigterm
from workers.cli.up import up_command
from workers.cli.verbs import approve, cancel, fork, pause, reject, resolve_command, resume, retry
from workers.cli.world import world_group

BAD_INPUT, NOT_FOUND, UNREACHABLE, DEFECT = 2, 3, 4, 70

#: (module, class, exit status, name in JSON). A class whose module was never imported can't have been raised.
_ERRORS: Sequence[tuple[str, str, int, str]] = (
    ("agents.config", "ConfigError", BAD_INPUT, "bad_config"),
    ("workers.cli.files", "CampaignFileError", BAD_INPUT, "bad_file"),
    ("integrations.settings", "SettingsError", BAD_INPUT, "bad_setting"),
    ("integrations.plugins", "PluginError", BAD_INPUT, "bad_plugin"),
    ("orchestration.control.submission", "IdempotencyConflictError", BAD_INPUT, "idempotency_conflict"),
    ("orchestration.control.verbs", "VerbRefusedError", BAD_INPUT, "refused"),
    ("orchestration.flow.lineage", "NoSuchStepError", BAD_INPUT, "no_such_step"),
    ("orchestration.control.resolve", "NoSuchUnitError", BAD_INPUT, "no_such_unit"),
    ("orchestration.control.excluding", "NoSuchLeadError", BAD_INPUT, "no_such_lead"),
    ("orchestration.reports.campaigns", "CampaignNotFoundError", NOT_FOUND, "not_found"),
    ("orchestration.ledger.world", "WrongWorldError", BAD_INPUT, "wrong_world"),
    ("orchestration.ledger.database", "UnstorableError", BAD_INPUT, "unstorable"),
    ("orchestration.ledger.database", "DatabaseUnavailableError", UNREACHABLE, "unreachable"),
    ("workers.child", "ServiceError", UNREACHABLE, "unreachable"),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="marketing-agents", prog_name="campaigns")
def cli() -> None:
    """Run autonomous marketing campaigns: find leads, write content, place ads, measure the result."""


_COMMANDS = (
    run_command, up_command, submit, list_campaigns, show, watch, history, export,
    approve, reject, pause, resume, cancel, retry, fork, resolve_command, limits_command, spend_command,
    schedule_group, breaker_group, knowledge_group, leads_group, doctor_command, migrate_command,
    world_group, erase_command, outcome_command, optimize_command, act_command,
    undo_command, budget_command, actions_command, content_command, edit_command,
)  # fmt: skip
for _command in _COMMANDS:
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its status, as the entry point."""
    tolerate_any_encoding()
    stop_on_sigterm()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = cli.main(args=given, prog_name="campaigns", standalone_mode=False)
    except Exception as error:
        code = explain(error, as_json="--json" in given)
    except KeyboardInterrupt:
        code = 130
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_stdout()
    sys.exit(code if isinstance(code, int) else 0)


def explain(error: Exception, *, as_json: bool) -> int:
    """Tell people, and with ``as_json`` programs, what went wrong, and return the exit status."""
    match error:
        case Stopped():
            if error.number == signal.SIGPIPE:
                _let_go_of_stdout()
            elif error.text:
                note(f"Stopped: {error.text}")
            return error.exit_code
        case click.Abort():
            return 130
        case click.ClickException():
            _report("bad_usage", [error.format_message()], as_json=as_json)
            if isinstance(error, click.UsageError) and error.ctx is not None:
                note(f"Try: {error.ctx.command_path} --help")
            return BAD_INPUT
    for module, name, code, kind in _ERRORS:
        known = getattr(sys.modules.get(module), name, None)
        if known is not None and isinstance(error, known):
            problems = getattr(error, "problems", None) or [str(error)]
            _report(kind, problems, as_json=as_json)
            return code
    _report("defect", [f"{type(error).__name__}: this is a defect of the program; {_log(error)}"], as_json=as_json)
    return DEFECT


def _let_go_of_stdout() -> None:
    """Drop what is still in the buffer, or the interpreter complains at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(kind: str, problems: Sequence[str], *, as_json: bool) -> None:
    head, *rest = [_lines(problem) for problem in problems]
    if rest:
        note(f"Error: {len(problems)} things are not right:")
        for problem in (head, *rest):
            note(f"  - {problem}")
    else:
        note(f"Error: {head}")
    if as_json:
        print_json({"error": kind, "problems": list(problems)})


def _lines(text: str) -> str:
    """Safe to print, with the lines of a log's tail kept as lines."""
    return "\n    ".join(line for part in text.splitlines() if (line := clean(part)))


def _log(error: Exception) -> str:
    """Write the traceback where only the user can read it, and say where."""
    home = Path(os.environ.get("MARKETING_HOME") or "~/.marketing-agents").expanduser()
    path = home / "logs" / "campaigns.log"
    text = "".join(traceback.format_exception(error))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as log:
            log.write(text)
    except OSError as reason:
        return f"its details could not be written to {path} ({reason.strerror})"
    return f"its details are in {path}"
