"""Where the log goes: standard error, a line for each record, as text or as JSON."""

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

LogFormat = Literal["text", "json"]
TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
QUIET = ("httpx", "httpcore")  # they log every URL, and a Telegram URL holds the token


class TextFormatter(logging.Formatter):
    """Lines for people, with every secret replaced by ***, in tracebacks too."""

    def __init__(self, secrets: Sequence[str]) -> None:
        super().__init__(TEXT)
        self._secrets = secrets

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802  # logging's names
        """Return the local time with its offset from UTC."""
        return datetime.fromtimestamp(record.created, UTC).astimezone().isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines where there is a traceback."""
        return self._redact(super().format(record))

    def _redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


class JsonFormatter(TextFormatter):
    """One JSON object a line; what a record has in `fields` becomes members of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        line = {
            "at": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return self._redact(json.dumps(line, ensure_ascii=False, default=str))


def configure(log_format: LogFormat, secrets: Sequence[str] = ()) -> None:
    """Send the log of this process to standard error; no secret ever occurs in it."""
    hidden = [secret for secret in secrets if secret]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter((JsonFormatter if log_format == "json" else TextFormatter)(hidden))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
