"""`wine-slo init --from`: read the files of other tools, write slo.yml, and say what became of each SLO."""

import sys
from collections.abc import Sequence
from pathlib import Path

from wine_slo.config.visible import visible_lines
from wine_slo.monitor.onboarding.importing.imported import import_files
from wine_slo.monitor.onboarding.importing.report import slo_yaml, summary
from wine_slo.monitor.onboarding.slo_writer import OutputError, refuse_overwriting, save
from wine_slo.slo.redaction import redact

BAD_INPUT = 2


def main(paths: Sequence[Path], output: Path, *, force: bool) -> int:
    """Return 0 where something was taken over and written, else 2; what is there is overwritten by force alone."""
    try:
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
    _print(f"{output} is written. `wine-slo doctor` compares it with what Prometheus has.")
    return 0


def _print(text: str) -> None:
    sys.stdout.write(f"{visible_lines(redact(text))}\n")


def _refuse(sentences: Sequence[str]) -> int:
    for each in sentences:
        sys.stderr.write(f"{redact(each)}\n")
    return BAD_INPUT
