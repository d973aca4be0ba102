"""Write the settings that a new slo.yml needs, where there is no file of settings yet."""

from collections.abc import Mapping
from pathlib import Path

from wine_slo.config.environment import file
from wine_slo.config.setting_types import UrlWithoutPassword
from wine_slo.monitor.onboarding.slo_writer import OutputError

PROMETHEUS_URL, OBJECTIVES = "WINE_SLO_PROMETHEUS_URL", "WINE_SLO_OBJECTIVES"


def url_of(option: str) -> UrlWithoutPassword:
    """Return the URL that the option --prometheus is.

    Raises:
        OutputError: It is none, or holds a password.
    """
    try:
        return UrlWithoutPassword(option)
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
    lines = "".join(f"{name}={value}\n" for name, value in wanted.items())
    path = file()
    try:
        path.touch(mode=0o600, exist_ok=False)  # tokens will be written into it
        path.write_text(lines, encoding="utf-8")
    except FileExistsError:
        return f"{output} is written. {path} is left as it is; it should have:\n{lines.rstrip()}"
    except OSError as error:
        return f"{output} is written. {path} cannot be ({error.strerror}); set:\n{lines.rstrip()}"
    return f"{output} and {path} are written."
