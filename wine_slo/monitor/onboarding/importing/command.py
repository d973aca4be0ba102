"""`wine-slo init --from`: read the files of other tools, write slo.yml, and say what became of each SLO."""

import sys
from collections.abc import Sequence
from pathlib import Path

from wine_slo.config.visible import visible_lines
from wine_slo.exit_status import ExitStatus
from wine_slo.monitor.onboarding.importing.imported import import_files
from wine_slo.monitor.onboarding.importing.report import slo_yaml, summary
from wine_slo.monitor.onboarding.settings_writer import OBJECTIVES, PROMETHEUS_URL, save_settings, url_of
from wine_slo.monitor.onboarding.slo_writer import OutputError, refuse_overwriting, save
from wine_slo.slo.redaction import redact

NEXT = "Next:\n  wine-slo doctor   # compares the objectives with what Prometheus has\n  wine-slo watchdog"


def main(paths: Sequence[Path], output: Path, *, force: bool, prometheus: str | None = None) -> ExitStatus:
    """Take over what can be, and write it; what is there is overwritten by force alone.

    Args:
        paths: Files and folders of other tools.
        output: What to write.
        force: Whether a file that is there is overwritten.
        prometheus: The root of its API, for the settings; None where they have it or will.
    """
    try:
        wanted = {} if prometheus is None else {PROMETHEUS_URL: str(url_of(prometheus))}
        refuse_overwriting(output, force=force)
        imported = import_files(paths)
        if imported.mistakes:
            return _refuse(imported.mistakes)
        _print("\n".join(summary(imported)))
        if not imported.taken:
            return _refuse([f"nothing can be taken over, so {output} is not written"])
        save(slo_yaml(imported), output, force=force)
    except OutputError as error:
        return _refuse([str(error)])
    _print(f"{save_settings(output, wanted | {OBJECTIVES: str(output)})}\n{NEXT}")
    return ExitStatus.OK


def _print(text: str) -> None:
    sys.stdout.write(f"{visible_lines(redact(text))}\n")


def _refuse(sentences: Sequence[str]) -> ExitStatus:
    for each in sentences:
        sys.stderr.write(f"{redact(each)}\n")
    return ExitStatus.BAD_INPUT
