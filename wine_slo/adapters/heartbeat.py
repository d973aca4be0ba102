"""A sign of life after each complete tick, for whatever watches the watchdog: a dead-man's switch and systemd.

A switch such as healthchecks.io rings when the sign stays out. systemd restarts a service whose sign stays out, where
its unit says `WatchdogSec`; the protocol is a datagram, https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

import asyncio
import logging
import socket

import httpx

TIMEOUT = 5  # seconds; well inside one tick

log = logging.getLogger(__name__)


class Heartbeat:
    """Gives the signs.

    Args:
        url: What to fetch after each tick; None for no switch.
        notify_socket: The path that systemd listens on; None where it does not.
        proxy: The URL of the proxy through which it is fetched; None for none.
    """

    def __init__(self, url: str | None, notify_socket: str | None, proxy: str | None = None) -> None:
        self._url = url
        self._notify_socket = notify_socket
        # Not aiohttp, which knows no SOCKS. The environment was read by the settings.
        self._client = httpx.AsyncClient(proxy=proxy, timeout=TIMEOUT, trust_env=False) if url else None

    async def close(self) -> None:
        """End its connections."""
        if self._client:
            await self._client.aclose()

    def notify(self, state: str) -> None:
        """Tell systemd: `READY=1`, `WATCHDOG=1` or `STOPPING=1`."""
        if not self._notify_socket:
            return
        address = self._notify_socket
        address = "\0" + address[1:] if address.startswith("@") else address  # an abstract socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(state.encode(), address)
        except OSError as error:
            log.warning("systemd was not told %s: %s", state, error)

    async def beat(self) -> None:
        """Give the sign of one complete tick; that it does not arrive stops nothing."""
        self.notify("WATCHDOG=1")
        if not self._url or not self._client:
            return
        try:
            async with asyncio.timeout(TIMEOUT):
                response = await self._client.get(self._url, follow_redirects=True)
            if not response.is_success:
                log.warning("the heartbeat was answered with %d", response.status_code)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:  # ValueError: an odd redirect
            log.warning("the heartbeat did not arrive (%s)", type(error).__name__)
