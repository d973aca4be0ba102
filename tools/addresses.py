"""Print where `make up` is found, or which address is in use already: `python -m tools.addresses`.

A process that cannot listen ends all of `make up` with a line of its own log, which does not say what to do.
"""

import errno
import socket
import sys
from dataclasses import dataclass

from wine_slo.config.environment import SettingsError, is_set, read
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.settings import ServerSettings

PROMETHEUS = ("127.0.0.1", 9090)  # as Procfile has it


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process is to listen.

    Attributes:
        process: Which.
        host: An address of this machine, or its name.
        port: From 0 (any free one) to 65535.
        otherwise: What to do where something else is to keep that address.
    """

    process: str
    host: str
    port: int
    otherwise: str

    @property
    def is_in_use(self) -> bool:
        """Return whether something listens there."""
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the processes do
            try:
                probe.bind((self.host, self.port))
            except OSError as error:  # what else is wrong with it, the process says itself
                return error.errno == errno.EADDRINUSE
        return False


def addresses(server: ServerSettings, watchdog: WatchdogSettings, *, has_prometheus: bool) -> list[Address]:
    """Return where each process of `make up` is to listen.

    Args:
        server: The server's settings.
        watchdog: The watchdog's.
        has_prometheus: Whether one is named in the settings, so that none is started.
    """
    of_server = "set WINE_SLO_PORT and WINE_SLO_SERVICE_URL in .env, and the target in prometheus.yml"
    of_watchdog = "set WINE_SLO_WATCHDOG_PORT in .env, and the target in prometheus.yml"
    of_prometheus = (
        "if that is a Prometheus which can scrape these two, give it the jobs of prometheus.yml and set "
        "WINE_SLO_PROMETHEUS_URL in .env"
    )
    return [
        Address("the server", server.host, server.port, of_server),
        Address("the watchdog", watchdog.watchdog_host, watchdog.watchdog_port, of_watchdog),
        *([] if has_prometheus else [Address("Prometheus", *PROMETHEUS, of_prometheus)]),
    ]


def main() -> int:
    """Print it, and return the exit status: 1 where an address is in use, 2 where the settings are wrong."""
    try:
        server, watchdog = read(ServerSettings), read(WatchdogSettings)
        found = addresses(server, watchdog, has_prometheus=is_set("WINE_SLO_PROMETHEUS_URL"))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    taken = [each for each in found if each.is_in_use]
    for each in taken:
        sys.stderr.write(
            f"{each.host}:{each.port} is in use, and {each.process} is to listen there. End what listens there, or "
            f"{each.otherwise}.\n"
        )
    if taken:
        return 1
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)
    form = f"http://{f'[{host}]' if ':' in host else host}:{server.port}/ui"
    sys.stdout.write(f"The form: {form}   The watchdog: {watchdog.watchdog_root}/   Ctrl-C stops everything\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
