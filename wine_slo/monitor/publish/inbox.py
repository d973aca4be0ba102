"""What other programs report to the watchdog over HTTP, by a bearer token: deployments and drills."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Annotated, TypeVar
from uuid import uuid4

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Meta, Struct

from wine_slo.config.setting_types import Secret
from wine_slo.http.problem import Problem
from wine_slo.http.routes import Route
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.monitor.evaluate.snapshot import Snapshot
from wine_slo.monitor.notify.journal import Journal
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.messages import Person
from wine_slo.slo.objectives.selector import few
from wine_slo.slo.oncall.actions import Action, ActionKind, ended
from wine_slo.slo.source.clocks import CLOCKS_AGREE
from wine_slo.slo.source.deployment import Deployment, Reported, last_reported

log = logging.getLogger(__name__)

OLDEST = timedelta(days=30)  # of a deployment that is reported
MOST_KEPT = 500  # deployments
LARGEST = 2**14  # bytes of a report
BEARER = "bearer "
NOWHERE = Address.of("console", 0)  # the address of what was done in no chat
NOBODY = Person(0, "")  # a program has no name

DRILLS, DEPLOYMENTS = "/api/drills", "/api/deployments"
PATHS = (DRILLS, DEPLOYMENTS)  # which have a token of their own instead of the login of the pages

R = TypeVar("R", bound=Struct)


class DrillReport(Struct, forbid_unknown_fields=True):
    """A drill that begins, or one that ends, after 0 s.

    Attributes:
        objective: What it breaks.
        seconds: After how long it ends at the latest.
    """

    objective: Annotated[str, Meta(min_length=1, max_length=100)]
    seconds: Annotated[float, Meta(ge=0, le=3600)]


class DeploymentReport(Struct, forbid_unknown_fields=True):
    """A version that begins to run.

    Attributes:
        version: What it is called.
        job: Of which job of slo.yml.
        service: The same by another name; one of both is wanted.
        at: When; now where it is left out.
    """

    version: Annotated[str, Meta(min_length=1, max_length=100)]
    job: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    service: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    at: Annotated[datetime, Meta(tz=True)] | None = None


class ReportedDeployments:
    """Keeps the deployments that were reported: at once in memory, and in the ledger as soon as it can be written.

    Args:
        ledger: Where they are written.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._turn = asyncio.Lock()
        self._reports: tuple[Reported, ...] = ()
        try:
            self._reports = tuple(ledger.deployments())
        except LedgerError as error:
            log.error("%s; deployments that were reported before are not known", error)  # noqa: TRY400 - expected

    @property
    def all(self) -> tuple[Reported, ...]:
        """Return all that are kept, in the order in which they were reported."""
        return self._reports

    def last(self, job: str) -> Deployment | None:
        """Return the last one of a job."""
        return last_reported(self._reports, job)

    async def add(self, report: Reported) -> None:
        """Keep one more; a ledger that cannot be written gets it with the next one."""
        async with self._turn:
            self._reports = (*self._reports, report)[-MOST_KEPT:]
            try:
                await asyncio.to_thread(self._ledger.keep_deployments, self._reports)
            except LedgerError as error:
                log.error("%s; the deployment is kept in memory", error)  # noqa: TRY400 - expected


class Inbox:
    """Takes reports.

    Attributes:
        deployments: Those that were reported.

    Args:
        token: What whoever reports must know; None where nobody may report.
        snapshot: What is known now.
        journal: Keeps drills.
        deployments: Keeps deployments.
    """

    def __init__(
        self, token: Secret | None, snapshot: Snapshot, journal: Journal, deployments: ReportedDeployments
    ) -> None:
        self._token = token
        self._snapshot = snapshot
        self._journal = journal
        self.deployments = deployments

    def routes(self) -> dict[str, Route]:
        """Return the endpoints by their paths."""
        return {
            DRILLS: Route(web.post, _answered(self._drill), (201, 400, 401, 403, 409, 413)),
            DEPLOYMENTS: Route(web.post, _answered(self._deployment), (201, 400, 401, 403, 413)),
        }

    async def _deployment(self, request: web.Request) -> web.Response:
        """Keep which version was deployed, and when."""
        report = await self._read(request, DeploymentReport)
        if (report.job is None) == (report.service is None):
            raise Problem(400, "wanted: either a job or a service")
        job, now = report.job or report.service or "", self._snapshot.now()
        jobs = sorted({each.job for each in self._snapshot.objectives.all})
        if job not in jobs:
            raise Problem(400, f"no objective is about the job {job}; there are {few(jobs)}")
        if not report.version.strip() or not report.version.isprintable():
            raise Problem(400, "wanted: a version of printable characters")
        at = now if report.at is None else report.at  # in its own zone, as the first and the last day have no UTC
        if not now - OLDEST <= at <= now + CLOCKS_AGREE:
            raise Problem(400, f"at is {at.isoformat()}; wanted: at most {OLDEST.days} days ago, and none to come")
        deployment = Reported(job=job, version=report.version, at=min(at, now).astimezone(UTC))
        await self.deployments.add(deployment)
        return web.json_response({"job": job, "version": report.version, "at": deployment.at.isoformat()}, status=201)

    async def _drill(self, request: web.Request) -> web.Response:
        """Mark what opens from now on as the incident of a drill, or end that."""
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


def _answered(take: Callable[[web.Request], Awaitable[web.Response]]) -> Handler:
    """Return the handler of a report, which answers with a document where there is a problem."""

    @wraps(take)
    async def handler(request: web.Request) -> web.Response:
        try:
            return await take(request)
        except Problem as problem:
            return problem.document()

    return handler
