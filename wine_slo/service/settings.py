"""The settings of the wine service."""

from pathlib import Path
from typing import Annotated

from wine_slo.config.environment import AllowedHosts, LogFormat, Port, Settings, means
from wine_slo.config.files import shipped
from wine_slo.config.hosts import is_loopback
from wine_slo.config.setting_types import Host


class ServerSettings(Settings, frozen=True, kw_only=True):
    """The server's."""

    host: Annotated[
        Host, means("Where the server listens.", "an address of this machine, or 0.0.0.0 for all of them")
    ] = Host("127.0.0.1")
    port: Annotated[
        Port, means("The port at which the server listens.", "a whole number from 0 (any free port) to 65535")
    ] = 8000
    model: Annotated[
        Path,
        means(
            "The model that serves, its card beside it; if not set and without a folder `models`, that of the package.",
            "the path of a model that `wine-slo train` wrote",
        ),
    ] = Path(shipped.MODEL)
    sleep_enabled: Annotated[
        bool | None,
        means("Whether there are `/sleep` and `/fail`.", "true or false; if not set, true on loopback only"),
    ] = None
    allowed_hosts: AllowedHosts = ()
    log_format: LogFormat = "text"

    @property
    def has_fault_endpoints(self) -> bool:
        """Return whether there are /sleep and /fail: as it is set, else where only this machine reaches them."""
        return is_loopback(self.host) if self.sleep_enabled is None else self.sleep_enabled
