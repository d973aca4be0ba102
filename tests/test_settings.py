"""What can be set, where it is read from, and how a mistake is told."""

import os
from base64 import b64decode
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from wine_slo.domain import redaction
from wine_slo.settings import (
    PREFIX,
    ChatAddress,
    Secret,
    ServerSettings,
    Setting,
    SettingsError,
    Url,
    WatchdogSettings,
    listed,
    read,
)

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(redaction, "_forms", {})
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def mistakes() -> list[str]:
    """What is told of the watchdog's settings."""
    with pytest.raises(SettingsError) as caught:
        read(WatchdogSettings)
    return str(caught.value).splitlines()


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


# Values


def test_a_value_becomes_what_its_field_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "POLL_SECONDS": "2.5",
        "TELEGRAM_CHAT_IDS": "-1001/5, 42,",
        "TIMEZONE": "Europe/Moscow",
        "TELEGRAM_TOKEN": "110201543:AA",
        "OBJECTIVES": "/etc/slo.yml",
        "PROMETHEUS_URL": "https://someone:password@[::1]:9090/prometheus",
    }.items():
        monkeypatch.setenv(f"WINE_SLO_{name}", value)
    assert read(WatchdogSettings) == WatchdogSettings(
        poll_seconds=2.5,
        telegram_chat_ids=(ChatAddress("-1001/5"), ChatAddress("42")),
        timezone=ZoneInfo("Europe/Moscow"),
        telegram_token=Secret("110201543:AA"),
        objectives=Path("/etc/slo.yml"),
        prometheus_url=Url("https://someone:password@[::1]:9090/prometheus"),
    )


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("POLL_SECONDS", "nan", "a number of seconds from 1 to 3600"),
        ("TELEGRAM_CHAT_IDS", "1,me", "chat ids separated by commas; ask the bot /id"),
        ("TELEGRAM_CHAT_IDS", "12345678901234567890", "chat ids separated by commas; ask the bot /id"),
        ("TELEGRAM_CHAT_IDS", "0", "chat ids separated by commas; ask the bot /id"),
        ("TIMEZONE", "Mars", "the time zone of the chats, such as Europe/Moscow"),
        ("TIMEZONE", "Europe", "the time zone of the chats, such as Europe/Moscow"),
        ("PROMETHEUS_URL", "localhost:9090", "the root of Prometheus' API, such as http://host:9090"),
        ("PROMETHEUS_URL", "http://:9090", "the root of Prometheus' API, such as http://host:9090"),
        ("PROMETHEUS_URL", "http://host:99999", "the root of Prometheus' API, such as http://host:9090"),
        ("DATABASE_URL", "mysql://", "an SQLAlchemy URL: sqlite:///relative/path or sqlite:////absolute/path"),
        ("LOG_FORMAT", "xml", "text or json"),
    ],
)
def test_what_is_not_wanted_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, wanted: str) -> None:
    monkeypatch.setenv(f"WINE_SLO_{name}", value)
    assert mistakes() == [f"WINE_SLO_{name} is {value!r}; wanted: {wanted}"]


def test_systemds_socket_keeps_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    assert read(WatchdogSettings).notify_socket == "/run/systemd/notify"


def test_a_file_that_is_no_text_is_told() -> None:
    Path(".env").write_bytes(b"\xff\xfe")
    assert mistakes() == [".env cannot be read; wanted: a text file in UTF-8"]


# Secrets


def test_a_secrets_value_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_HEARTBEAT_URL", "hunter2")
    assert mistakes() == ["WINE_SLO_HEARTBEAT_URL has a value; wanted: the URL of a dead-man's switch"]


def test_whoever_prints_settings_prints_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN", "hunter2")
    monkeypatch.setenv("WINE_SLO_HEARTBEAT_URL", "http://127.0.0.1/hunter3")
    settings = read(WatchdogSettings)
    assert settings.secrets == ("http://127.0.0.1/hunter3", "hunter2")
    assert redaction.redact("hunter2, http://127.0.0.1/hunter3") == "***, ***"
    assert "hunter" not in f"{settings} {settings!r} {settings.telegram_token} {settings.heartbeat_url!r}"


def test_a_secret_may_stand_in_a_file_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("token").write_text("hunter2\n")
    Path("empty").write_text("\n")
    Path(".env").write_text("WINE_SLO_TELEGRAM_TOKEN_FILE=token\nWINE_SLO_PROMETHEUS_TOKEN_FILE=empty\n")
    settings = read(WatchdogSettings)
    assert (settings.telegram_token, settings.prometheus_token) == (Secret("hunter2"), None)
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN", "hunter3")
    assert read(WatchdogSettings).telegram_token == Secret("hunter3")


def test_a_secret_whose_file_is_rotated_is_read_again() -> None:
    Path("token").write_text("hunter2\n")
    Path(".env").write_text("WINE_SLO_TELEGRAM_TOKEN_FILE=token\n")
    token = read(WatchdogSettings).telegram_token
    assert token
    assert token.reread() is token
    Path("token").write_text("hunter3\n")
    rotated = token.reread()
    assert rotated.value == "hunter3"
    assert redaction.redact("hunter3") == "***"
    Path("token").write_text("\n")
    assert rotated.reread() is rotated, "an empty file is one that is being written"
    Path("token").unlink()
    assert rotated.reread() is rotated
    assert Secret("hunter2").reread() == Secret("hunter2")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param("WINE_SLO_PROMETHEUS_TOKEN_FILE=secret", "Bearer {}", id="a token"),
        pytest.param(
            "WINE_SLO_PROMETHEUS_USERNAME=bob\nWINE_SLO_PROMETHEUS_PASSWORD_FILE=secret",
            "Basic bob:{}",
            id="a password",
        ),
    ],
)
def test_prometheus_is_sent_what_the_file_of_its_secret_holds_now(lines: str, expected: str) -> None:
    def sent() -> str:
        kind, _, value = dict(headers)["Authorization"].partition(" ")
        return f"{kind} {value if kind == 'Bearer' else b64decode(value).decode()}"

    Path("secret").write_text("hunter2\n")
    Path(".env").write_text(lines + "\n")
    headers = read(WatchdogSettings).prometheus_headers
    assert sent() == expected.format("hunter2")
    Path("secret").write_text("hunter3\n")
    assert sent() == expected.format("hunter3")
    Path("secret").unlink()
    assert sent() == expected.format("hunter3"), "it is being exchanged"


def test_a_secret_that_stands_in_a_pipe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo("pipe")
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN_FILE", "pipe")
    assert mistakes() == [
        (
            "WINE_SLO_TELEGRAM_TOKEN_FILE is 'pipe', which cannot be read: it is no regular file; "
            "wanted: the path of a text file"
        )
    ]


def test_a_secrets_file_that_cannot_be_read_is_told_with_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN_FILE", "nowhere")
    monkeypatch.setenv("WINE_SLO_WATCHDOG_PORT", "-1")
    assert mistakes() == [
        "WINE_SLO_WATCHDOG_PORT is '-1'; wanted: a whole number from 0 (any free) to 65535",
        (
            "WINE_SLO_TELEGRAM_TOKEN_FILE is 'nowhere', which cannot be read: No such file or directory; "
            "wanted: the path of a text file"
        ),
    ]


# What the pages say


@pytest.mark.parametrize("setting", listed(ServerSettings) + listed(WatchdogSettings), ids=lambda each: each.variable)
def test_the_readme_lists_every_setting_with_its_default(setting: Setting) -> None:
    if setting.variable.startswith(PREFIX):
        rows = [row for row in (ROOT / "README.md").read_text().splitlines() if f"`{setting.variable}`" in row]
        (row,) = (row for row in rows if row.startswith("|"))
        assert f"`{setting.default}`" in row if setting.default else True
        assert ("secret" in row) or not setting.is_secret
