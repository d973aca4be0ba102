import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest

from wine_slo.config import log_setup
from wine_slo.slo import redaction

TOKEN = "123:the-token"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    sys.excepthook = hook
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_secret_is_nowhere_in_the_output_not_even_in_a_traceback(
    log_format: log_setup.LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    redaction.learn([TOKEN, ""])
    log_setup.configure(log_format)
    try:
        int(TOKEN)
    except ValueError:
        logging.getLogger("x").exception("requested %(url)s", {"url": f"/bot{TOKEN}/getMe"})
    written = capsys.readouterr().err
    assert TOKEN not in written
    assert "invalid literal for int() with base 10: '***'" in written
    assert "Traceback" in written


def test_json_is_one_object_a_line_with_the_records_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("json")
    logging.getLogger("x").info("two\nlines, %(status)s", {"status": 200})
    (line,) = capsys.readouterr().err.splitlines()
    written = json.loads(line)
    assert datetime.fromisoformat(written.pop("at")).utcoffset() is not None
    assert written == {"level": "INFO", "logger": "x", "message": "two\nlines, 200", "status": 200}


HOSTILE = "Eve\n2026-01-01T00:00:00.000+00:00 CRITICAL wine_slo: all is lost\r\x1b[31m\x9b2J\u2028\u202e\x00\ud800"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_name_makes_a_line_a_colour_or_a_turn_of_its_own(
    log_format: log_setup.LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    log_setup.configure(log_format)
    logging.getLogger("x").info("%s did it", HOSTILE)
    logging.getLogger("x").info("%(name)s did it", {"name": HOSTILE})
    logging.getLogger("x").error("it failed", exc_info=ValueError(HOSTILE))
    written = capsys.readouterr().err
    assert all(letter.isprintable() for letter in written if letter != "\n"), repr(written)
    lines = written.split("\n")
    assert not any(line.startswith("2026-01-01") for line in lines)
    own = [line for line in lines if line and not line.startswith("    ")]
    assert len(own) == 3
    if log_format == "json":
        assert json.loads(own[0])["message"] == f"{HOSTILE} did it"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_long_message_is_a_short_line(log_format: log_setup.LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    redaction.learn([TOKEN])
    log_setup.configure(log_format)
    logging.getLogger("x").info("%s", "a" * (log_setup.LONGEST - 5) + TOKEN + "\x00" * 8000)
    written = capsys.readouterr().err
    assert len(written) < 2200
    assert TOKEN[:3] not in written.partition("x")[2]


def test_text_begins_with_the_time_and_its_offset(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("text")
    logging.getLogger("x").info("hello")
    at, level, logger, message = capsys.readouterr().err.split()
    assert datetime.fromisoformat(at).utcoffset() is not None
    assert (level, logger, message) == ("INFO", "x:", "hello")


def test_libraries_that_log_urls_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("text")
    logging.getLogger("httpx").info("HTTP Request: POST /bot.../getMe")
    assert not capsys.readouterr().err


async def test_lines_may_wait_but_a_warning_takes_them_along_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("text", wait=60)
    logging.getLogger("x").info("first")
    assert not capsys.readouterr().err
    logging.getLogger("x").warning("second")
    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()] == ["first", "second"]


async def test_lines_that_wait_are_written_at_the_end_of_the_process(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("text", wait=60)
    logging.getLogger("x").info("last words")
    assert not capsys.readouterr().err
    logging.getLogger().handlers[0].flush()  # what logging does when the process ends
    assert capsys.readouterr().err.endswith("last words\n")


async def test_lines_wait_no_longer_than_they_may(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("text", wait=0.05)
    logging.getLogger("x").info("patient")
    written = ""
    async with asyncio.timeout(30):
        while not written:
            await asyncio.sleep(0.01)
            written = capsys.readouterr().err
    assert written.endswith("patient\n")


def test_where_nothing_would_write_them_later_lines_do_not_wait(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("text", wait=60)
    logging.getLogger("x").info("no loop runs")
    assert capsys.readouterr().err.endswith("no loop runs\n")


async def test_many_lines_do_not_wait(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("text", wait=60)
    for number in range(log_setup.MOST_WAITING):
        logging.getLogger("x").info("%s", number)
    assert len(capsys.readouterr().err.splitlines()) == log_setup.MOST_WAITING


class BrokenPipe(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


def test_where_nobody_reads_any_more_the_service_goes_on() -> None:
    log_setup.configure("text", stream=BrokenPipe())
    logging.getLogger("x").warning("hello")


async def test_a_line_that_cannot_be_worded_does_not_take_the_others_along(capsys: pytest.CaptureFixture[str]) -> None:
    log_setup.configure("text", wait=60)
    logging.getLogger("x").info("%d", "no number")
    logging.getLogger("x").warning("after it")
    assert capsys.readouterr().err.endswith("after it\n")
