"""Write the settings that a new slo.yml needs, where there is no file of settings yet."""

from collections.abc import Mapping
from pathlib import Path

from wine_slo.config.environment import file
from wine_slo.config.files import shipped
from wine_slo.config.setting_types import ReplicaUrls
from wine_slo.monitor.onboarding.slo_writer import OutputError

PROMETHEUS_URL, OBJECTIVES = "WINE_SLO_PROMETHEUS_URL", "WINE_SLO_OBJECTIVES"


def url_of(option: str) -> ReplicaUrls:
    """Return the URL that the option --prometheus is, or the URLs.

    Raises:
        OutputError: One is none, or holds a password.
    """
    try:
        return ReplicaUrls(option)
    except ValueError as error:
        raise OutputError(
            f"--prometheus {option} is no URL such as http://host:9090; a name and a password belong in "
            "WINE_SLO_PROMETHEUS_USERNAME and WINE_SLO_PROMETHEUS_PASSWORD"
        ) from error


def save_settings(output: Path, wanted: Mapping[str, str]) -> str:
    """Write settings, but never over a file that is there, and return what to say of it.

    Args:
        output: The file that was written before.
        wanted: The settings, by their names.
    """
    trouble = write_settings(wanted)
    return f"{output} is written. {trouble}" if trouble else f"{output} and {file()} are written."


def write_settings(wanted: Mapping[str, str]) -> str:
    """Write a file of all settings as comments, but for those that are wanted; return why that was not done, else "".

    Args:
        wanted: The settings, by their names.
    """
    path, lines = file(), "".join(f"{name}={value}\n" for name, value in wanted.items()).rstrip()
    try:
        path.touch(mode=0o600, exist_ok=False)  # tokens will be written into it
        path.write_text(_settings(wanted), encoding="utf-8")
    except FileExistsError:
        return f"{path} is left as it is; it should have:\n{lines}" if lines else f"{path} is left as it is."
    except OSError as error:
        reason = f"{path} cannot be ({error.strerror})"
        return f"{reason}; set:\n{lines}" if lines else f"{reason}."
    return ""


def _settings(wanted: Mapping[str, str]) -> str:
    """Return the example of all settings, in which those that are wanted are no comments."""
    lines = {f"#{name}": f"{name}={value}" for name, value in wanted.items()}
    example = shipped.read(shipped.SETTINGS).splitlines()
    return "".join(f"{lines.get(line.partition('=')[0], line)}\n" for line in example)
