"""How both of our processes serve HTTP: what aiohttp's own server leaves open, closed in one place.

* Every error is a problem document (RFC 9457), also where the parser refuses a request before any route sees it.
* A body is never unpacked: the parser hands it on as it came.
* A client that is slow to send or to read is disconnected; what clients do not read is bounded in all, and so is
  the number of connections. Where there are too many, the one that has been idle for longest gives way.
* In each turn of the loop only so many requests are answered as keep it short. A connection that sends again at once,
  or has sent requests ahead, lets those go first that have not been answered just now; of these, a request for
  `/health`, `/alive` or `/metrics` does not wait at all.
* A browser that another site has sent here, by a name that is not ours or by a picture on its page, is refused.
"""

import asyncio
import logging
import re
import resource
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from time import monotonic
from typing import Any, cast

from aiohttp import web

from wine_slo.http.door import Door
from wine_slo.http.problem import NAME, Problem, problem_of
from wine_slo.http.shares import Room, Turns

LARGEST_READ = 2**15  # bytes that wait for a handler, twice so many at most, and as many again in the socket
UNREAD = 48 * 2**20  # bytes of answers that wait for their clients, all together
SMALL_ANSWER = 2**17  # bytes
MOST_CONNECTIONS = 10_000
# What machines request now and then, and judge us by how soon it is answered.
AT_ONCE = {"/health", "/alive", "/metrics"}
JUST_NOW = (
    0.5  # seconds after an answer in which a connection's next request lets others go first; no scrape is so soon
)
QUIET_FOR = 60.0  # seconds in which the same trouble with sockets is not logged again
LONGEST_REASON = 100  # letters of a request that is none, in a log line
SAID = re.compile(r"\n|:|\s*\bb?['\"]")  # where a reason of the parser ends, and what the client has sent begins
TURNS_TO_CONNECT = 3  # of the loop, from accepting a connection until its protocol has it

log = logging.getLogger("wine_slo.http")

Handler = Callable[[Any], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Patience:
    """For how many seconds the server waits for a client."""

    idle: float = 75.0  # for a request's headers to come in, and between requests; longer than a usual proxy
    body: float = 10.0
    reading: float = 30.0  # for some of an answer to be taken


def refuse(request: web.BaseRequest, problem: Problem) -> web.Response:
    """Answer with the problem, and log a line of it."""
    log.info("%s was refused: %s", request.remote, problem.detail)
    return problem.document()


Refuse = Callable[[web.BaseRequest, Problem], web.Response]


class Runner(web.AppRunner):
    """Runs an application behind the door.

    Args:
        app: the application.
        door: who may come in.
        patience: for how long clients are waited for.
        refuse: answers what no handler of the application does; logs and counts as it likes.
        shutdown_timeout: seconds for what is being answered to end.
        gives_up: whether a handler is cancelled when its client has gone away.
        most_connections: at once; by default a half of what the process may open, and 10,000 at most.
    """

    def __init__(
        self,
        app: web.Application,
        door: Door,
        patience: Patience,
        *,
        refuse: Refuse = refuse,
        shutdown_timeout: float = 5.0,
        gives_up: bool = False,
        most_connections: int | None = None,
    ) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._door = door
        self._patience = patience
        self._refuse = refuse
        self._gives_up = gives_up
        self._most_connections = most_connections or connections_allowed()

    async def setup(self) -> None:
        """Get ready to serve."""
        _complain_seldom(asyncio.get_running_loop())
        await super().setup()

    async def cleanup(self) -> None:
        """Serve no more."""
        await stop_accepting(self)
        await super().cleanup()

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()

        turns = Turns()

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            connection = cast("_Protocol", request.protocol)
            if connection.is_greedy or request.path not in AT_ONCE:
                await turns.take(is_patient=connection.is_greedy)
            problem = self._door.refusal(request)
            if problem is None:
                try:
                    response = await made.request_handler(request)
                except web.HTTPException as error:
                    if error.status < HTTPStatus.BAD_REQUEST:
                        raise
                    problem = problem_of(error)
                except OSError:
                    raise  # the client has gone away
                except Exception:  # someone waits for an answer
                    log.exception("a request failed by a fault of ours")
                    problem = Problem(500, "a fault of ours; the log says more")
                else:
                    response.headers["Server"] = NAME
                    connection.answer_bytes = response.content_length or 0
                    return response
            return self._refuse(request, problem)

        return _Server(
            handle,
            request_factory=made.request_factory,
            handler_cancellation=self._gives_up,
            refuse=self._refuse,
            patience=self._patience,
            most_connections=self._most_connections,
        )


async def stop_accepting(runner: web.BaseRunner) -> None:
    """Let nobody else in, and everybody who has come in become a connection of the runner.

    Server.close() of Python 3.11 breaks a connection that was accepted in the same turn of the loop: its client gets
    nothing, its socket is left open, and the log gets a traceback.
    """
    loop = asyncio.get_running_loop()
    for site in runner.sites:
        listening = cast("asyncio.Server | None", site._server)  # noqa: SLF001  # nothing public leads to its sockets
        for each in listening.sockets if listening is not None else ():  # None where it could not listen
            loop.remove_reader(each)
    for _ in range(TURNS_TO_CONNECT):
        await asyncio.sleep(0)


def raise_limit_of_files() -> None:
    """Raise the limit of open files as far as it goes; an idle connection is an open file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def connections_allowed() -> int:
    """Return how many connections there may be, so that as many files again can be opened for other things."""
    return max(8, min(MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))


def _complain_seldom(loop: asyncio.AbstractEventLoop) -> None:
    """Log an event loop's errors of sockets once a minute at most; where no file is left there are many."""
    complained_at: dict[str, float] = {}

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error, what = context.get("exception"), str(context.get("message"))
        if not isinstance(error, OSError):
            loop.default_exception_handler(context)
        elif what not in complained_at or loop.time() - complained_at[what] >= QUIET_FOR:
            complained_at[what] = loop.time()
            log.error("%s: %s", what, error)

    loop.set_exception_handler(handle)


class _Server(web.Server):
    """Makes a protocol for each connection, and holds what they share."""

    def __init__(
        self, handler: Handler, *, refuse: Refuse, patience: Patience, most_connections: int, **options: Any
    ) -> None:
        super().__init__(handler, **options)
        self.refuse = refuse
        self.patience = patience
        self.most_connections = most_connections
        self.unread = Room(UNREAD, SMALL_ANSWER)
        self.open: dict[_Protocol, None] = {}  # a set in the order of arrival

    def __call__(self) -> web.RequestHandler:
        return _Protocol(self)

    def make_room(self) -> None:
        """Close the connection that is idle and came first, where there are too many.

        It counts no longer from now on. It is lost only at the loop's next turn, and those that arrive in the same turn
        must each close another one.
        """
        if len(self.open) > self.most_connections:
            oldest = next((each for each in self.open if each.is_idle), None)
            if oldest is not None:
                del self.open[oldest]
                oldest.hang_up()


class _Protocol(web.RequestHandler):
    """One connection."""

    __slots__ = ("_answered_at", "_has_sent_ahead", "_late", "_server", "_unread", "answer_bytes")

    def __init__(self, server: _Server) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=cast("logging.Logger", None),
            auto_decompress=False,
            keepalive_timeout=server.patience.idle,
            lingering_time=server.patience.body,
            read_bufsize=LARGEST_READ,
        )
        self._server = server
        self.answer_bytes = 0  # of the latest; they stay in memory until the last of them is sent
        self._answered_at = -inf  # on the monotonic clock
        self._has_sent_ahead = False
        self._unread = 0
        self._late: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Return whether no request is being answered."""
        return self._current_request is None

    @property
    def is_greedy(self) -> bool:
        """Return whether it sends without waiting for answers, or again at once."""
        return self._has_sent_ahead or monotonic() - self._answered_at < JUST_NOW

    def hang_up(self) -> None:
        """Drop the connection, whatever waits to be sent."""
        if self.transport is not None:
            self.transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.transport is not None:
            self.transport.set_write_buffer_limits(high=0)  # whatever waits to be sent pauses writing
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGEST_READ)
        self._server.open[self] = None
        self._server.make_room()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._server.open.pop(self, None)
        self._end_waiting()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for the client to read, not for ever and not for more than all clients may leave unread."""
        super().pause_writing()
        if self.transport is None:
            return
        waiting = max(self.transport.get_write_buffer_size(), self.answer_bytes)
        if not self._server.unread.take(waiting):
            self.hang_up()
            return
        self._unread = waiting
        self._late = self._loop.call_later(self._server.patience.reading, self.hang_up)

    def resume_writing(self) -> None:
        """Wait no more."""
        super().resume_writing()
        self._end_waiting()

    def _end_waiting(self) -> None:
        self._server.unread.give(self._unread)
        self._unread = 0
        if self._late is not None:
            self._late.cancel()
            self._late = None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer, and forget its body; aiohttp keeps the answer until the connection's next one."""
        finished = await super().finish_response(request, resp, start_time)
        self._answered_at, self._has_sent_ahead = monotonic(), bool(self._messages)
        if isinstance(resp, web.Response):
            resp.body = None
        return finished

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer a request that the parser refuses; its first line may be anything, so little of it is repeated."""
        if isinstance(exc, OSError):
            raise ConnectionError("the client has gone away") from exc
        reason = SAID.split(message or "", maxsplit=1)[0] or "the request cannot be read"
        response = self._server.refuse(request, Problem(status, reason[:LONGEST_REASON]))
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log a fault; that a client's body broke off after its answer is none."""
        if not isinstance(kw.get("exc_info"), (web.RequestPayloadError, OSError)):
            log.error(*args, **kw)
