"""The process of the wine service: read the settings, assemble, run."""

import argparse
import sys

from wine_slo import extras

if __name__ == "__main__":  # before what is imported below needs them
    extras.need("server", "server")

from wine_slo.config.environment import SettingsError, read, unknown
from wine_slo.exit_status import ExitStatus
from wine_slo.http.guarded_server import raise_limit_of_files
from wine_slo.integrations.console import standard_streams
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service import workers
from wine_slo.service.settings import ServerSettings


def main(processes: int = 1) -> None:
    """Serve until a signal to stop; exit with 1 where the address is taken and with 2 where the settings are wrong."""
    standard_streams.reserve()
    try:
        settings = read(ServerSettings)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(ExitStatus.BAD_INPUT)
    for sentence in unknown(ServerSettings, WatchdogSettings):
        sys.stderr.write(f"{sentence}\n")
    raise_limit_of_files()
    workers.run(settings, processes)


def worker_count(text: str) -> int:
    """Read a number of workers.

    Raises:
        argparse.ArgumentTypeError: There cannot be so many.
    """
    count = int(text)
    if not 1 <= count <= workers.MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"wanted: a whole number from 1 to {workers.MOST_WORKERS}")
    return count


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m wine_slo.server", description=main.__doc__)
    parser.add_argument("--workers", type=worker_count, default=1, help="processes that share the port (default: 1)")
    main(parser.parse_args().workers)
