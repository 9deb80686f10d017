"""Logging of a fleet's processes, as lines of text or of JSON that name the campaign, unit and worker.

``LOG_FORMAT`` and ``LOG_LEVEL`` configure it, for Celery's processes in place of Celery's option ``-l``. Invariants: a
process has one handler, on the root logger; a line has the fields of :mod:`integrations.log_context` and no other
extras, because those of libraries contain arguments of tasks; keys, passwords and e-mail addresses are removed from
every line.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from logging.handlers import WatchedFileHandler

from pythonjsonlogger.core import LogData
from pythonjsonlogger.json import JsonFormatter

from integrations.log_context import FIELDS, logged_fields
from integrations.settings import SANDBOX_KEY, Settings

#: These log two lines for each task and tick, which events, rows and other lines say too. Written at DEBUG only.
CHATTY = ("celery.app.trace", "celery.beat", "celery.worker.strategy", "alembic.runtime.plugins")
#: Below a warning these log the content of requests and responses.
TALKATIVE = ("httpcore", "httpcore2", "httpx", "httpx2", "langchain", "langsmith", "openai")
#: Credentials with fewer characters are account numbers or the sandbox's, and are not redacted.
SECRET_CHARS = 8

_HIDDEN = "***"
_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s@/]+(?=@)")
_EMAIL = re.compile(r"[\w.%+-]+(?=@[\w-]+(?:\.[\w-]+)+)")
#: Data quoted in errors of pydantic and SQLAlchemy.
_QUOTED = re.compile(r"input_value=.*?(?=, input_type=)|(?<=\[parameters: ).*?(?=\]$)", re.DOTALL | re.MULTILINE)


class Redaction:
    """Removes secrets and personal data from log lines."""

    def __init__(self, settings: Settings) -> None:
        secrets = sorted(set(_secrets(settings)), key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, secrets))) if secrets else None

    def clean(self, text: str) -> str:
        """Return the text without keys, passwords, quoted data and e-mail addresses (their domains stay)."""
        if self._secrets is not None:
            text = self._secrets.sub(_HIDDEN, text)
        text = _QUOTED.sub(_HIDDEN, text)
        return _EMAIL.sub(_HIDDEN, _PASSWORD.sub(rf"\g<1>{_HIDDEN}", text)) if "@" in text else text


def _secrets(settings: Settings) -> Iterator[str]:
    for provider in settings.providers.values():
        for value in provider.credentials.values():
            if len(value) >= SECRET_CHARS and value != SANDBOX_KEY:
                yield value


class WithContext(logging.Filter):
    """Adds the fields of the current log context to each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields and let the record pass."""
        for name, value in logged_fields().items():
            record.__dict__.setdefault(name, value)
        return True


class TextLines(logging.Formatter):
    """Formats a record as text, followed by a traceback if it has one.

    Such as ``2026-11-05 12:00:00,123 INFO workers.runtime: message [campaign=c1 step=2]``.
    """

    def __init__(self, redaction: Redaction) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redaction = redaction

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line with its fields, except ``worker``, because each process writes a file of its own."""
        fields = [f"{name}={record.__dict__[name]}" for name in FIELDS if name != "worker" and name in record.__dict__]
        return super().formatMessage(record) + (f" [{' '.join(fields)}]" if fields else "")

    def format(self, record: logging.LogRecord) -> str:
        """Return the redacted line and traceback."""
        return self._redaction.clean(super().format(record))


class JsonLines(JsonFormatter):
    """Formats a record as a JSON object with time (UTC), level, logger, message, the fields, and exception."""

    _KEYS = ("time", "level", "logger", "message", *FIELDS, "exception", "stack")

    def __init__(self, redaction: Redaction) -> None:
        renamed = {"levelname": "level", "name": "logger", "exc_info": "exception", "stack_info": "stack"}
        super().__init__(
            ["levelname", "name", "message"], rename_fields=renamed, timestamp="time", json_ensure_ascii=False
        )
        self._redaction = redaction

    def process_log_record(self, log_data: LogData) -> LogData:
        """Return the known fields only, redacted."""
        kept = {key: log_data[key] for key in self._KEYS if log_data.get(key) is not None}
        return {key: self._redaction.clean(value) if isinstance(value, str) else value for key, value in kept.items()}


def configure(settings: Settings, logfile: str | None = None) -> None:
    """Set up the logging of this process, to stderr or to a file.

    A second call replaces the first one's set-up.
    """
    redaction = Redaction(settings)
    handler = WatchedFileHandler(logfile, encoding="utf-8") if logfile else logging.StreamHandler()
    handler.setFormatter(JsonLines(redaction) if settings.log_format == "json" else TextLines(redaction))
    handler.addFilter(WithContext())
    handler.setLevel(settings.log_level)  # Flower sets the root's level to its own
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.NOTSET if settings.log_level == "DEBUG" else logging.WARNING)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def configure_celery(logfile: str | None = None, **_: object) -> None:
    """Set up logging in a worker or beat, as a receiver of Celery's ``setup_logging``.

    Celery sets up no logging of its own when the signal has a receiver.
    """
    configure(Settings.from_env(), logfile)


def configure_command(settings: Settings) -> None:
    """Set up logging in a command if JSON lines are wanted, else leave warnings on the terminal."""
    if settings.log_format == "json":
        configure(settings)
