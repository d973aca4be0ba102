"""A sign of life after each complete tick, for whatever watches the watchdog: a dead-man's switch and systemd.

A switch such as healthchecks.io rings when the sign stays out. systemd restarts a service whose sign stays out, where
its unit says `WatchdogSec`; the protocol is a datagram, https://www.freedesktop.org/software/systemd/man/sd_notify.html
"""

import logging
import socket

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=5)  # seconds; well inside one tick

log = logging.getLogger(__name__)


class Heartbeat:
    """Gives the signs.

    Args:
        session: Its connections; closed by whoever made it.
        url: What to fetch after each tick; None for no switch.
        notify_socket: The path that systemd listens on; None where it does not.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str | None, notify_socket: str | None) -> None:
        self._session = session
        self._url = url
        self._notify_socket = notify_socket

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
        if not self._url:
            return
        try:
            async with self._session.get(self._url, timeout=TIMEOUT) as response:
                if not response.ok:
                    log.warning("the heartbeat was answered with %d", response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("the heartbeat did not arrive (%s)", type(error).__name__)
