"""The watchdog's own pages, for whoever asks how everything stands from another process."""

import aiohttp
import msgspec

from wine_slo.domain.status import Status

TIMEOUT = aiohttp.ClientTimeout(total=5)  # seconds


class WatchdogError(Exception):
    """The watchdog does not answer, or is none; the text says why, for people."""


class WatchdogApi:
    """Asks the watchdog.

    Args:
        session: Its connections; closed by whoever made it.
        url: Its root.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url.rstrip("/")

    async def status(self) -> Status:
        """How everything stands.

        Raises:
            WatchdogError: It does not answer, or not as a watchdog of ours does.
        """
        status, body = await self._get("/api/status")
        try:
            return msgspec.json.decode(body, type=Status)
        except msgspec.DecodeError as error:
            raise WatchdogError(
                f"what answers at {self._url} is no watchdog of this version (its /api/status is {status})"
            ) from error

    async def health(self) -> str:
        """What it says of itself: `ok`, or what is wrong.

        Raises:
            WatchdogError: It does not answer, or not as a watchdog of ours does.
        """
        _, body = await self._get("/health")
        try:
            return msgspec.json.decode(body, type=_Health).status
        except msgspec.DecodeError as error:
            raise WatchdogError(f"what answers at {self._url}/health is no watchdog") from error

    async def _get(self, path: str) -> tuple[int, bytes]:
        try:
            async with self._session.get(self._url + path, timeout=TIMEOUT) as response:
                return response.status, await response.read()
        except TimeoutError as error:
            raise WatchdogError(f"the watchdog at {self._url} did not answer in time") from error
        except aiohttp.ClientConnectorError as error:
            raise WatchdogError(f"the watchdog at {self._url} cannot be reached: is it running?") from error
        except (aiohttp.ClientError, OSError) as error:
            raise WatchdogError(f"the watchdog at {self._url} broke off ({type(error).__name__})") from error


class _Health(msgspec.Struct):
    status: str
    version: str
    untold_seconds: float
    incidents_open: int
