"""`wine-slo init --example`: copy what is to be edited of the service that comes with the package into this folder."""

import sys
from collections.abc import Sequence
from pathlib import Path

from wine_slo.config import environment
from wine_slo.config.files import shipped
from wine_slo.exit_status import ExitStatus
from wine_slo.monitor.onboarding.settings_writer import write_settings
from wine_slo.monitor.onboarding.slo_writer import OutputError, refuse_overwriting, save

COPIED = (shipped.OBJECTIVES, shipped.SCHEMA, shipped.PROMETHEUS)
NEXT = "prometheus --config.file=prometheus.yml", "wine-slo server", "wine-slo watchdog"


def main(*, force: bool) -> ExitStatus:
    """Write the files, say what comes next, and return the exit status; what is there is overwritten by force alone."""
    paths = [Path(each) for each in COPIED]
    try:
        _prepare(paths, force=force)
        for path in paths:
            save(shipped.read(str(path)), path, force=force)
    except OutputError as error:
        sys.stderr.write(f"{error}\n")
        return ExitStatus.BAD_INPUT
    trouble = write_settings({})
    *first, last = paths if trouble else [*paths, environment.file()]
    said = f"{', '.join(map(str, first))} and {last} are written. {trouble}".rstrip()
    sys.stdout.write("\n  ".join([f"{said}\nNext, each in a terminal of its own:", *NEXT]) + "\n")
    return ExitStatus.OK


def _prepare(paths: Sequence[Path], *, force: bool) -> None:
    """Make the folders of the files.

    Raises:
        OutputError: One cannot be made, or a file cannot be written or is there and not to be overwritten.
    """
    for path in paths:
        if path.exists() and not force:
            raise OutputError(f"{path} exists; --force overwrites it")
    for path in paths:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path.parent} cannot be made: {error.strerror}") from error
        refuse_overwriting(path, force=force)
