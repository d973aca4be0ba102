"""What other programs report to the watchdog over HTTP, by a bearer token: that a drill begins or ends."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Annotated, TypeVar
from uuid import uuid4

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from wine_slo.config.setting_types import Secret
from wine_slo.http.problem import Problem
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.oncall.actions import Action, ActionKind, ended

LARGEST = 2**14  # bytes of a report
BEARER = "bearer "
NOWHERE = Address.of("console", 0)  # the address of what was done in no chat
NOBODY = Person(0, "")  # a program has no name

DRILLS = "/api/drills"
PATHS = (DRILLS,)  # which have a token of their own instead of the login of the pages

R = TypeVar("R", bound=Struct)


class DrillReport(Struct, forbid_unknown_fields=True):
    """A drill that begins, or one that ends, after 0 s.

    Attributes:
        objective: What it breaks.
        seconds: After how long it ends at the latest.
    """

    objective: Annotated[str, Meta(min_length=1, max_length=100)]
    seconds: Annotated[float, Meta(ge=0, le=3600)]


class Inbox:
    """Takes reports.

    Args:
        token: What whoever reports must know; None where nobody may report.
        snapshot: What is known now.
        journal: Keeps drills.
    """

    def __init__(self, token: Secret | None, snapshot: Snapshot, journal: Journal) -> None:
        self._token = token
        self._snapshot = snapshot
        self._journal = journal

    def routes(self) -> list[web.RouteDef]:
        """Return what to add to an application."""
        return [web.post(DRILLS, partial(_answered, self._drill))]

    async def _drill(self, request: web.Request) -> web.Response:
        report = await self._read(request, DrillReport)
        if report.objective not in self._snapshot.objectives.by_name:
            raise Problem(400, f"there is no objective {report.objective}")
        now = self._snapshot.now()
        action = Action(
            number=0,
            at=now,
            deed=ActionKind.DRILL,
            by=NOBODY,
            chat=NOWHERE,
            cause=f"api {uuid4()}",
            objective=report.objective,
            until=now + timedelta(seconds=report.seconds),
        )
        if not report.seconds:
            running = self._journal.actions.running_drill(report.objective, now)
            if running is None:
                raise Problem(409, f"no drill of {report.objective} is running")
            action = ended(running, now)
        await self._journal.add(action)
        return web.json_response({"objective": report.objective, "seconds": report.seconds}, status=201)

    async def _read(self, request: web.Request, kind: type[R]) -> R:
        """Return a report.

        Raises:
            Problem: It cannot be taken, and why.
        """
        self._check_token(request)
        if (request.content_length or 0) > LARGEST:
            raise Problem(413, f"a report has at most {LARGEST} bytes")
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > LARGEST:
                raise Problem(413, f"a report has at most {LARGEST} bytes")
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Problem(400, f"{error}") from error

    def _check_token(self, request: web.Request) -> None:
        """Refuse who does not know the token.

        Raises:
            Problem: They do not.
        """
        if self._token is None:
            raise Problem(403, "nobody may report here; WINE_SLO_API_TOKEN is not set")
        given = request.headers.get("Authorization", "")
        is_bearer = given[: len(BEARER)].lower() == BEARER
        secret = given[len(BEARER) :].strip().encode("utf-8", "surrogateescape") if is_bearer else b""
        if not hmac.compare_digest(secret, self._token.value.encode()):
            raise Problem(401, "wanted: the token of WINE_SLO_API_TOKEN", {"WWW-Authenticate": "Bearer"})


async def _answered(take: Callable[[web.Request], Awaitable[web.Response]], request: web.Request) -> web.Response:
    """Return the answer to a report, a problem too."""
    try:
        return await take(request)
    except Problem as problem:
        return problem.document()
