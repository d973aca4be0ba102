"""A `wine-slo status` that fails by a fault of ours with a secret in it, as a program."""

import sys

from wine_slo import cli
from wine_slo.config import environment
from wine_slo.exit_status import ExitStatus
from wine_slo.monitor.commands import run
from wine_slo.monitor.settings import WatchdogSettings


def fails(*, as_json: bool) -> ExitStatus:  # noqa: ARG001  # as the command has it
    token = environment.read(WatchdogSettings).prometheus_token
    assert token
    raise RuntimeError(f"with {token.value} in it")


if __name__ == "__main__":
    run.status = fails
    sys.argv = ["wine-slo", "status"]
    cli.run()
