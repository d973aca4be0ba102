"""The connection to the Bot API: its limits, its requests, and which answers are trusted."""

import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from time import monotonic
from typing import Any

import httpx
from telegram.error import NetworkError
from telegram.ext import AIORateLimiter, BaseRateLimiter, ExtBot
from telegram.request import HTTPXRequest

from wine_slo.integrations.telegram import answers
from wine_slo.integrations.telegram.answers import MAX_BYTES, MAX_UPDATES_BYTES, UnreadableError, is_success
from wine_slo.slo.chat.gate import Gate

log = logging.getLogger(__name__)


READ_SECONDS = 20  # Telegram may take that long under load, and a retry would double a message
CONNECT_SECONDS = 5
UPDATES = "get_Updates"  # `getUpdates`, by a name that the library does not take for a slip
UPDATES_PATH = "/getUpdates"
AGAIN_SECONDS = 10  # between two reads of a token that may have been rotated
NO_SUCH_TOKEN = (401, 404)  # the second for what does not even have the form of one
SHORTEST_WAIT = 1  # seconds
LARGEST_ID = 2**52  # by the manual of the Bot API, a chat's id has at most 52 bits
QUIET_A_SECOND = 20  # calls of the thirty that Telegram lets a bot make in all its chats together; others are alerts
QUIET_A_MINUTE = 15  # of the twenty in a group
ANSWERS_A_SECOND = 10  # of the quiet ones
ANSWERS_A_MINUTE = 12
ANSWER = 1  # says to the limiter that a call is an answer
WRITES = ("send_request_headers.started", "send_request_body.started")  # what a request is written in
EDITS = "editMessageText"  # the method that needs no saying


Connection = ExtBot[int]


class AlertsFirst(BaseRateLimiter[int]):
    """Space calls out below Telegram's limits, so that a new message never waits for answers or edits.

    Edits pass two limiters: the narrow one of what is quiet, and then the one of all calls, in which there is always
    room for alerts. Answers pass a narrower one before these, so that edits have room as well. Nothing is tried again
    here: what to do after a 429 is delivery's.
    """

    def __init__(self) -> None:
        self._all = AIORateLimiter()
        quiet = AIORateLimiter(overall_max_rate=QUIET_A_SECOND, group_max_rate=QUIET_A_MINUTE)
        answers = AIORateLimiter(overall_max_rate=ANSWERS_A_SECOND, group_max_rate=ANSWERS_A_MINUTE)
        self._for_edits, self._for_answers = (quiet, self._all), (answers, quiet, self._all)

    async def initialize(self) -> None:
        """Do nothing."""

    async def shutdown(self) -> None:
        """Do nothing."""

    async def process_request(
        self,
        callback: Callable[..., Any],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Return what the call gives, once it may be made."""
        limiters: tuple[AIORateLimiter, ...] = (self._all,)
        if rate_limit_args == ANSWER:
            limiters = self._for_answers
        elif endpoint == EDITS:
            limiters = self._for_edits

        async def call(passed: int) -> Any:
            if passed == len(limiters):
                return await callback(*args, **kwargs)
            return await limiters[passed].process_request(call, (passed + 1,), {}, endpoint, data, None)

        return await call(0)


class _Bounded(httpx.AsyncByteStream):
    """The body of an answer, as far as an answer of the Bot API can be long."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._stream = response.stream
        is_long = response.request.url.path.endswith(UPDATES_PATH) and is_success(response.status_code)
        self._most = MAX_UPDATES_BYTES if is_long else MAX_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give it on, piece by piece.

        Raises:
            httpx.DecodingError: It is too long.
        """
        size = 0
        async for chunk in self._stream:  # type: ignore[union-attr]  # a client that is async has no other
            size += len(chunk)
            if size > self._most:
                raise httpx.DecodingError("an answer that is too long", request=self._response.request)
            yield chunk

    async def aclose(self) -> None:
        """Read no more of it."""
        await self._stream.aclose()  # type: ignore[union-attr]


async def _refuse_too_much(response: httpx.Response) -> None:
    """Read of an answer only so much, and nothing that would become longer by unpacking it.

    Raises:
        httpx.DecodingError: It is packed.
    """
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise httpx.DecodingError("an answer that is packed", request=response.request)
    response.stream = _Bounded(response)


async def _pass(gate: Gate, request: httpx.Request) -> None:
    """Let a request through the gate, and have it stopped there once more before its last bytes are written.

    Limits, a connection that is made and a process that is suspended lie between the two.

    Raises:
        SilentError: This watchdog does not lead.
    """
    gate.check()

    async def follow(event: str, _info: object) -> None:  # https://www.encode.io/httpcore/extensions/#trace
        if event.endswith(WRITES):
            gate.check()

    request.extensions["trace"] = follow


def connect(
    token: str,
    api_url: str | None = None,
    proxy: str | None = None,
    current: Callable[[], str] | None = None,
    gate: Gate | None = None,
) -> Connection:
    """Return the bot of a token, at Telegram's own server or at another one's root; nothing is sent yet.

    Args:
        token: The bot's.
        api_url: The root of another server than Telegram's.
        proxy: The way there; what the environment says of proxies does not count here, as the settings have read it.
        current: Returns the token as it is now, where it may be rotated.
        gate: What every request passes; None for a person at a terminal, who may always speak.
    """
    certificates = httpx.create_ssl_context()  # one for both, as each takes a megabyte

    def request() -> RotatingRequest:
        return RotatingRequest(
            token,
            current or (lambda: token),
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            write_timeout=READ_SECONDS,
            pool_timeout=CONNECT_SECONDS,
            proxy=proxy,
            httpx_kwargs={
                "verify": certificates,
                "trust_env": False,
                "headers": {"Accept-Encoding": "identity"},
                "event_hooks": {"request": [partial(_pass, gate or Gate())], "response": [_refuse_too_much]},
            },
        )

    root = (api_url or "https://api.telegram.org").rstrip("/")
    return ExtBot(
        token,
        base_url=f"{root}/bot",
        base_file_url=f"{root}/file/bot",
        request=request(),
        get_updates_request=request(),
        rate_limiter=AlertsFirst(),
    )


class NoBotApiError(NetworkError):
    """Something else than a Bot API has answered: a proxy, a filter, a login page.

    Attributes:
        code: The HTTP status.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"{code}, and not as a Bot API")
        self.code = code


class BotApiRequest(HTTPXRequest):
    """Lets only answers of a Bot API through, and of these only what we read; see `answers`."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Send a request, and return the status and the answer.

        Raises:
            NoBotApiError: Something else has answered.
            NetworkError: Nothing has answered.
        """
        code, payload = await super().do_request(*args, **kwargs)
        return code, _checked(code, payload)

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return what `do_request` has let through; the elements of a list are bytes."""
        return answers.parse(payload)


class RotatingRequest(BotApiRequest):
    """Requests with the token as it is now: it is read again now and then, and at once where it is refused.

    The library writes the token that it was made with into each URL. Signatures of buttons stay those of that token, so
    what was sent before a rotation can still be pressed.
    """

    def __init__(self, token: str, current: Callable[[], str], **options: Any) -> None:
        super().__init__(**options)
        self._first, self._token = token, token
        self._current = current
        self._again_at = 0.0

    async def do_request(self, url: str, *arguments: Any, **options: Any) -> tuple[int, bytes]:
        """Send a request, and once more where a token is refused that has been rotated: nothing was done then."""
        if monotonic() >= self._again_at:
            self._again_at = monotonic() + AGAIN_SECONDS
            self._token = self._current()
        status, answer = await super().do_request(self._with_token(url), *arguments, **options)
        if status in NO_SUCH_TOKEN and (token := self._current()) != self._token:
            log.warning("Telegram does not know the token any more: the one that its file holds now is used")
            self._token = token
            status, answer = await super().do_request(self._with_token(url), *arguments, **options)
        return status, answer

    def _with_token(self, url: str) -> str:
        return url.replace(f"/bot{self._first}/", f"/bot{self._token}/", 1)


def _checked(code: int, payload: bytes) -> bytes:
    """Return an answer of a Bot API, without what is not read of it.

    Raises:
        NoBotApiError: It is none.
    """
    if is_success(code):
        try:
            return answers.reduced(payload)
        except UnreadableError as error:
            raise NoBotApiError(code) from error
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or answer.get("ok") is not False:
        raise NoBotApiError(code)
    refusal: dict[str, Any] = {"ok": False, "error_code": code, "description": str(answer.get("description") or code)}
    given = answer.get("parameters")
    parameters = given if isinstance(given, dict) else {}
    moved_to = parameters.get("migrate_to_chat_id")
    if isinstance(moved_to, int) and 0 < abs(moved_to) < LARGEST_ID:
        refusal["parameters"] = {"migrate_to_chat_id": moved_to}
    elif code == HTTPStatus.TOO_MANY_REQUESTS:
        refusal["parameters"] = {"retry_after": _seconds(parameters.get("retry_after"))}
    return json.dumps(refusal, ensure_ascii=False).encode(errors="replace")


def _seconds(given: object) -> int:
    """Return how long Telegram wants to be left alone, in seconds from 1 to a day, whatever it has written."""
    try:
        seconds = float(str(given))
    except ValueError:
        seconds = 0.0
    return int(min(max(SHORTEST_WAIT, seconds), timedelta(days=1).total_seconds()))  # NaN is not more than 1
