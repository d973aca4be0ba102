"""Where the log goes: standard error, a line for each record, as text or as JSON.

A record that is logged with named arguments, `log.info("%(method)s %(path)s", {"method": ..., "path": ...})`, has them
as members of its JSON line too.
"""

import asyncio
import json
import logging
import sys
from collections import deque
from contextlib import suppress
from datetime import datetime
from threading import RLock
from types import TracebackType
from typing import Any, Literal, TextIO

from wine_slo.config.visible import CONTROL, visible
from wine_slo.slo.redaction import redact, redacted

LogFormat = Literal["text", "json"]
QUIET = {
    "httpx": logging.WARNING,  # these two log every URL, and a Telegram URL holds the token
    "httpcore": logging.WARNING,
    "apscheduler": logging.ERROR,  # two lines a tick; a tick that is skipped is logged by `steady_scheduler`
    "telegram.request": logging.CRITICAL,  # a traceback for each answer that is no JSON; delivery says it in a line
    "telegram.ext.AIORateLimiter": logging.CRITICAL,  # the same for each 429
}
LONGEST = 2000  # characters of a message; others choose some of them
MOST_WAITING = 64  # lines; to word and write them takes a fifth of a millisecond


class TextFormatter(logging.Formatter):
    """Lines for people, with every secret replaced by ***, in tracebacks too.

    Whoever chooses a part of a message, a name or a path, cannot make a line of it: a message is one line, and the
    lines of a traceback are indented.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = -1
        self._date, self._offset = "", ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or lines where there is a traceback."""
        message = _on_one_line(redact(record.getMessage()))
        line = f"{self._time(record.created)} {record.levelname:7} {record.name}: {message}"
        if record.exc_info:
            stack = redact(self.formatException(record.exc_info)).split("\n")
            line = "\n    ".join([line, *map(visible, stack)])
        return line

    def _time(self, at: float) -> str:
        """Return the local time with its offset from UTC; all but the milliseconds is worked out once a second."""
        second = int(at)
        if second != self._second:
            whole = datetime.fromtimestamp(second).astimezone().isoformat()
            self._second, self._date, self._offset = second, whole[:-6], whole[-6:]
        return f"{self._date}.{int((at - second) * 1000):03d}{self._offset}"


class JsonFormatter(TextFormatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object."""
        line = {
            "at": self._time(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage())[:LONGEST],  # no secret is cut in two, which none would know
        }
        if isinstance(record.args, dict):
            line |= record.args
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        written = json.dumps(redacted(line), ensure_ascii=False, default=lambda value: redact(str(value)))
        return written if written.isprintable() else CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _on_one_line(text: str) -> str:
    """Return a message that is no longer than people read."""
    return visible(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


class Lines(logging.StreamHandler[Any]):
    """Writes lines below WARNING together with those that follow soon: one system call for many requests."""

    def __init__(self, formatter: TextFormatter, wait: float, stream: TextIO) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)
        self._wait = wait  # seconds; 0 to write each line at once
        self._waiting: deque[logging.LogRecord] = deque()  # safe to fill here and empty there
        self._timer: asyncio.TimerHandle | None = None
        self._writing = RLock()  # a finalizer may log while a line is worded

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record; write all at once where it is a warning or worse, or nothing would write it soon."""
        self._waiting.append(record)
        is_urgent = record.levelno >= logging.WARNING
        if is_urgent or len(self._waiting) >= MOST_WAITING or not (self._timer or self._start_timer()):
            self.flush()

    def flush(self) -> None:
        """Write what waits; logging calls this at the end of the process too."""
        with self._writing:
            text = ""
            while self._waiting:
                text += self._line(self._waiting.popleft())
            if text:
                with suppress(OSError, ValueError):  # nobody reads standard error any more; the service goes on
                    self.stream.write(text)
                    self.stream.flush()

    def _start_timer(self) -> bool:
        """Have the lines written in a while; False where nothing could do that."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # the application has not started, has ended, or this is another thread
            return False
        self._timer = loop.call_later(self._wait, self._end_timer) if self._wait else None
        return bool(self._timer)

    def _end_timer(self) -> None:
        self._timer = None
        self.flush()

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return f"{self.format(record)}\n"
        except Exception:  # noqa: BLE001  # as every handler does: a line that cannot be worded stops nothing
            self.handleError(record)
            return ""


def configure(
    log_format: LogFormat, wait: float = 0.0, stream: TextIO | None = None, level: int = logging.INFO
) -> None:
    """Send the log of this process, and what nobody catches, to standard error; no secret ever occurs in it.

    Args:
        log_format: for people or for machines.
        wait: seconds that a line below WARNING may wait to be written with others; a killed process loses these.
        stream: where it goes instead of standard error.
        level: what is less urgent is left out.
    """
    # No line says where it comes from, so nobody need find out:
    # https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None  # noqa: SLF001  # documented there
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    formatter = JsonFormatter() if log_format == "json" else TextFormatter()
    logging.basicConfig(level=level, handlers=[Lines(formatter, wait, stream or sys.stderr)], force=True)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)
    sys.excepthook = _log_uncaught


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Say what nobody has caught through the log, as the log hides secrets."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    logging.getLogger("wine_slo").critical("an error that nobody expected", exc_info=(kind, error, traceback))
