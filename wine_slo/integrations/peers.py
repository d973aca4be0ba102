"""Clients of our own processes for the others: of the monitored service, and of the watchdog."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

import aiohttp
import msgspec

from wine_slo.slo.reason import ReasonedError, phrase
from wine_slo.slo.views.status_schema import Status

PATIENCE = 5.0  # seconds; a page of ours takes milliseconds


class ServiceError(ReasonedError):
    """The service does not answer, or not as ours does."""


class OtherServiceError(ServiceError):
    """What answers is another service than ours."""


class WatchdogError(ReasonedError):
    """The watchdog does not answer, or is none of this version."""


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """What the service says of itself; the model's version and sha256 are None where it has no model."""

    status: str
    version: str
    reason: str = ""
    model_version: str | None = None
    model_sha256: str | None = None


class _Pages:
    """Client of one of our processes.

    Args:
        session: Its connections; closed by whoever made it.
        url: Its root.
        patience: Seconds that it may take beyond what the request itself takes.
        password: Of its login; None where it has none.
    """

    failure: ClassVar[type[ReasonedError]]
    late: ClassVar[str]
    away: ClassVar[str]
    broken: ClassVar[str]

    def __init__(
        self, session: aiohttp.ClientSession, url: str, patience: float = PATIENCE, password: str | None = None
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._patience = patience
        self._headers = {"Authorization": f"Bearer {password}"} if password else {}

    async def _get(self, path: str, seconds: float = 0.0) -> tuple[int, bytes]:
        return await self._request("GET", path, seconds, headers=self._headers)

    async def _request(self, method: str, path: str, seconds: float = 0.0, **what: Any) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=seconds + self._patience)
        try:
            async with self._session.request(method, self._url + path, timeout=timeout, **what) as response:
                return response.status, await response.read()
        except TimeoutError as error:
            raise self.failure(self.late, url=self._url) from error
        except aiohttp.ClientConnectorError as error:
            raise self.failure(self.away, url=self._url) from error
        except (aiohttp.ClientError, OSError) as error:
            raise self.failure(self.broken, url=self._url, error=type(error).__name__) from error


class ServiceApi(_Pages):
    """Client of the service: its health, and slow requests."""

    failure = ServiceError
    late = phrase("the service at {url} did not answer in time")
    away = phrase("the service at {url} cannot be reached: is it running?")
    broken = phrase("the service at {url} closed the connection ({error})")

    async def health(self) -> ServiceHealth:
        """Return what it says of itself.

        Raises:
            OtherServiceError: It is another service.
            ServiceError: It does not answer.
        """
        _, body = await self._get("/health")
        try:
            found = msgspec.json.decode(body, type=_ServiceHealth)
        except msgspec.DecodeError as error:
            raise OtherServiceError("another service answers at {url}", url=f"{self._url}/health") from error
        if found.model is None:
            return ServiceHealth(found.status, found.version, found.reason)
        return ServiceHealth(found.status, found.version, found.reason, found.model.version, found.model.sha256)

    async def sleep(self, seconds: float) -> None:
        """Have it take so long for an answer, counted as a drill's request.

        Raises:
            ServiceError: It did not.
        """
        status, body = await self._get(f"/sleep?seconds={seconds:g}&drill=1", seconds)
        if status == 404:
            raise ServiceError("/sleep is switched off at {url} (WINE_SLO_SLEEP_ENABLED)", url=self._url)
        try:
            msgspec.json.decode(body, type=_Slept)
        except msgspec.DecodeError as error:
            raise ServiceError(
                "/sleep at {url} answered {status} without a delay", url=self._url, status=status
            ) from error


class WatchdogHealth(msgspec.Struct):
    """What a watchdog says of itself.

    Attributes:
        status: `ok`, or what is wrong.
        unreachable: Why each recipient that cannot be reached cannot be, by its id in the settings.
        role: alone, or of several: leader, standby, or silent where it cannot confirm that it leads.
        standbys: The others that stand by.
    """

    status: str
    version: str
    untold_seconds: float
    incidents_open: int
    unreachable: dict[str, str] = {}
    role: str = "alone"
    standbys: list[dict[str, Any]] = []


class WatchdogApi(_Pages):
    """Client of the watchdog: its health, and the status of everything."""

    failure = WatchdogError
    late = phrase("the watchdog at {url} did not answer in time")
    away = phrase("the watchdog at {url} cannot be reached: is it running?")
    broken = phrase("the watchdog at {url} closed the connection ({error})")

    async def status(self, objective: str = "") -> Status:
        """Return how everything stands, or one objective alone, which an answer about thousands may leave out.

        Args:
            objective: Which one; all where it is left out, or not known there.

        Raises:
            WatchdogError: It does not answer, or not as a watchdog of ours does.
        """
        path = "/api/status"
        status, body = await self._get(f"{path}?{urlencode({'objective': objective})}" if objective else path)
        if objective and status == HTTPStatus.BAD_REQUEST:
            status, body = await self._get(path)
        if status == 401:
            raise WatchdogError(
                "the watchdog at {url} rejected the password (WINE_SLO_WATCHDOG_PASSWORD)", url=self._url
            )
        try:
            return msgspec.json.decode(body, type=Status)
        except msgspec.DecodeError as error:
            raise WatchdogError(
                "no watchdog of this version answers at {url} (its /api/status is {status})",
                url=self._url,
                status=status,
            ) from error

    async def report_drill(self, objective: str, seconds: float, token: str) -> None:
        """Report that a drill of an objective begins and ends within so many seconds; that it ends, where it is 0.

        Raises:
            WatchdogError: It does not take that.
        """
        status, body = await self._request(
            "POST",
            "/api/drills",
            json={"objective": objective, "seconds": seconds},
            headers={"Authorization": f"Bearer {token}"},
        )
        if status != HTTPStatus.CREATED:
            raise WatchdogError(
                "the watchdog at {url} answered {status}: {why}", url=self._url, status=status, why=_detail(body)
            )

    async def health(self) -> WatchdogHealth:
        """Return what it says of itself.

        Raises:
            WatchdogError: It does not answer, or not as a watchdog of ours does.
        """
        _, body = await self._get("/health")
        try:
            return msgspec.json.decode(body, type=WatchdogHealth)
        except msgspec.DecodeError as error:
            raise WatchdogError("no watchdog answers at {url}", url=f"{self._url}/health") from error


def _detail(body: bytes) -> str:
    """Return what is wrong, as a problem document says it; nothing where it is none."""
    try:
        return msgspec.json.decode(body, type=_Problem).detail
    except msgspec.DecodeError:
        return ""


class _Problem(msgspec.Struct):
    detail: str


class _Model(msgspec.Struct):
    version: str
    sha256: str


class _ServiceHealth(msgspec.Struct):
    status: str
    version: str
    uptime_seconds: float
    reason: str = ""
    model: _Model | None = None


class _Slept(msgspec.Struct):
    slept_seconds: float
