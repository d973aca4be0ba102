"""Signs of life, for whatever watches the watchdog: a dead-man's switch and systemd.

A switch such as healthchecks.io has one after each complete tick, and rings when it stays out. systemd restarts a
service whose sign stays out for as long as its unit's `WatchdogSec`, so it has one twice in that time while no tick is
overdue; the protocol is a datagram, https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

import asyncio
import logging
import socket
from collections.abc import Callable

import httpx

from wine_slo.slo.chat.gate import Gate

TIMEOUT = 5  # seconds; well inside one tick

log = logging.getLogger(__name__)


class Heartbeat:
    """Gives the signs.

    Args:
        url: What to fetch after each tick; None for no switch.
        notify_socket: The path that systemd listens on; None where it does not.
        gate: Whether this watchdog leads; the switch has no sign of another one.
        proxy: The URL of the proxy through which it is fetched; None for none.
    """

    def __init__(self, url: str | None, notify_socket: str | None, gate: Gate, proxy: str | None = None) -> None:
        self._gate = gate
        self._url = url
        self._notify_socket = notify_socket
        # Not aiohttp, which knows no SOCKS. The environment was read by the settings.
        self._client = httpx.AsyncClient(proxy=proxy, timeout=TIMEOUT, trust_env=False) if url else None

    async def close(self) -> None:
        """End its connections."""
        if self._client:
            await self._client.aclose()

    def notify(self, state: str) -> None:
        """Notify systemd: `READY=1`, `WATCHDOG=1` or `STOPPING=1`."""
        if not self._notify_socket:
            return
        address = self._notify_socket
        address = "\0" + address[1:] if address.startswith("@") else address  # an abstract socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.sendto(state.encode(), address)
        except OSError as error:
            log.warning("systemd was not notified of %s: %s", state, error)

    async def keep_systemd_informed(self, watchdog_seconds: float, is_well: Callable[[], bool]) -> None:
        """Give systemd a sign twice in the time in which it wants one, for ever, while all is well."""
        while True:
            if is_well():
                self.notify("WATCHDOG=1")
            await asyncio.sleep(watchdog_seconds / 2)

    async def beat(self) -> None:
        """Give the sign of one complete tick; that it does not arrive stops nothing."""
        if not self._url or not self._client or not self._gate.is_open:
            return
        try:
            async with asyncio.timeout(TIMEOUT):
                response = await self._client.get(self._url, follow_redirects=True)
            if not response.is_success:
                log.warning("the heartbeat was answered with %d", response.status_code)
        except Exception as error:  # noqa: BLE001 - whatever an odd answer raises, a redirect to no address among it
            log.warning("the heartbeat did not arrive (%s)", type(error).__name__)
