"""The extras of the package: which of their libraries are not installed, and how they are.

`pip install wine-slo` brings what init, validate, check, status and drill need. The server and the watchdog each need
libraries that the other one does not; pyproject.toml says which.
"""

import re
import sys

from wine_slo.exit_status import ExitStatus

# Of a requirement in the metadata: its name, and the extra that brings it. One with a further condition is optional.
REQUIREMENT = re.compile(r"([\w.-]+)[^;]*; *extra == ['\"]([\w-]+)['\"]")


def need(extra: str, command: str) -> None:
    """Exit with 2 where a library of the extra is not installed.

    Args:
        extra: As pyproject.toml calls it.
        command: What needs it, for the sentence: `ledger backup`.
    """
    if absent := missing(extra):
        lacks = f"`wine-slo {command}` needs more than is installed ({', '.join(absent)})"
        sys.stderr.write(f"{lacks}: pip install 'wine-slo[{extra}]'\n")
        raise SystemExit(ExitStatus.BAD_INPUT)


def missing(extra: str) -> list[str]:
    """Return the libraries of an extra that are not installed, by the names of their distributions."""
    from importlib.metadata import requires  # noqa: PLC0415  # takes a fifth of what `wine-slo --help` does

    found = (REQUIREMENT.fullmatch(each) for each in requires("wine-slo") or ())
    return [each[1] for each in found if each and each[2] == extra and not _is_installed(each[1])]


def _is_installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415  # as above

    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
