"""The service under watch, for whoever tries it: its health, and `/sleep`, which makes it slow."""

from dataclasses import dataclass

import aiohttp
import msgspec

from wine_slo.domain.phrases import ReasonedError

PATIENCE = 5.0  # seconds beyond what was asked for


class ServiceError(ReasonedError):
    """The service does not answer, or not as ours does."""


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """What the service says of itself; the model's version and sha256 are None where it has no model."""

    status: str
    version: str
    reason: str = ""
    model_version: str | None = None
    model_sha256: str | None = None


class ServiceApi:
    """Asks the service.

    Args:
        session: Its connections; closed by whoever made it.
        url: Its root.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def health(self) -> ServiceHealth:
        """What it says of itself.

        Raises:
            ServiceError: It does not answer, or is another service.
        """
        _, body = await self._get("/health", PATIENCE)
        try:
            found = msgspec.json.decode(body, type=_Health)
        except msgspec.DecodeError as error:
            raise ServiceError("what answers at {url} is another service", url=f"{self._url}/health") from error
        if found.model is None:
            return ServiceHealth(found.status, found.version, found.reason)
        return ServiceHealth(found.status, found.version, found.reason, found.model.version, found.model.sha256)

    async def sleep(self, seconds: float) -> None:
        """Have it take so long for an answer, counted as a drill's request.

        Raises:
            ServiceError: It did not.
        """
        status, body = await self._get(f"/sleep?seconds={seconds:g}&drill=1", seconds + PATIENCE)
        if status == 404:
            raise ServiceError("/sleep is switched off at {url} (WINE_SLO_SLEEP_ENABLED)", url=self._url)
        try:
            msgspec.json.decode(body, type=_Slept)
        except msgspec.DecodeError as error:
            raise ServiceError(
                "/sleep at {url} answered {status}, and not that it has slept", url=self._url, status=status
            ) from error

    async def _get(self, path: str, seconds: float) -> tuple[int, bytes]:
        try:
            timeout = aiohttp.ClientTimeout(total=seconds)
            async with self._session.get(self._url + path, timeout=timeout) as response:
                return response.status, await response.read()
        except TimeoutError as error:
            raise ServiceError("the service at {url} did not answer in time", url=self._url) from error
        except aiohttp.ClientConnectorError as error:
            raise ServiceError("the service at {url} cannot be reached: is it running?", url=self._url) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ServiceError(
                "the service at {url} broke off ({error})", url=self._url, error=type(error).__name__
            ) from error


class _Model(msgspec.Struct):
    version: str
    sha256: str


class _Health(msgspec.Struct):
    status: str
    version: str
    uptime_seconds: float
    reason: str = ""
    model: _Model | None = None


class _Slept(msgspec.Struct):
    slept_seconds: float
