from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from wine_slo.settings import ServerSettings, Settings, SettingsError, read


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOST", "PORT", "MODEL", "SLEEP_ENABLED", "LOG_FORMAT"):
        monkeypatch.delenv(f"WINE_SLO_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_everything_has_a_default() -> None:
    assert read(ServerSettings) == ServerSettings(
        host="127.0.0.1", port=8000, model=Path("models/model.pkl"), sleep_enabled=True, log_format="text"
    )


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("WINE_SLO_PORT=1\nWINE_SLO_HOST=::1\nWINE_SLO_POLL_SECONDS=30\n")
    monkeypatch.setenv("WINE_SLO_PORT", "2")
    settings = read(ServerSettings)
    assert (settings.host, settings.port) == ("::1", 2)


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_PORT", "")
    assert read(ServerSettings).port == 8000


def test_every_mistake_is_told_in_a_line_with_its_name_its_value_and_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WINE_SLO_PORT", "70000")
    monkeypatch.setenv("WINE_SLO_SLEEP_ENABLED", "perhaps")
    with pytest.raises(SettingsError) as caught:
        read(ServerSettings)
    assert str(caught.value).splitlines() == [
        "WINE_SLO_PORT is '70000'; wanted: a whole number from 0 (any free port) to 65535",
        "WINE_SLO_SLEEP_ENABLED is 'perhaps'; wanted: true or false",
    ]


class SecretSettings(Settings):
    token: SecretStr | None = Field(default=None, min_length=10, description="ten letters at least")


def test_a_secrets_value_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_TOKEN", "hunter2")
    with pytest.raises(SettingsError) as caught:
        read(SecretSettings)
    assert str(caught.value) == "WINE_SLO_TOKEN has a value; wanted: ten letters at least"
