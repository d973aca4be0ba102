"""What can be set, where it is read from, and how a mistake is reported."""

import os
import ssl
from base64 import b64decode, b64encode
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest

from tests.support.real.certificates import Authority
from wine_slo.config.environment import PREFIX, SettingsError, read, unknown
from wine_slo.config.setting_types import BotToken, ChatAddress, Host, ReplicaUrls, Secret
from wine_slo.monitor.evaluate.live_objectives import load_objectives
from wine_slo.monitor.settings import WatchdogSettings
from wine_slo.service.settings import ServerSettings
from wine_slo.slo import redaction

ROOT = Path(__file__).parents[3]
PROMETHEUS = (
    "the root of Prometheus' API, such as http://host:9090, or those of several servers with commas between; a name "
    "and a password belong in WINE_SLO_PROMETHEUS_USERNAME and WINE_SLO_PROMETHEUS_PASSWORD"
)
CHATS = "chat ids separated by commas; send the bot /id"
DATABASE = (
    "an SQLAlchemy URL: sqlite:///relative/path, sqlite:////absolute/path or "
    "postgresql+psycopg://host/database with USER:PASSWORD@ before the host, where an @ of the password is %40"
)
HOST = "an address of this machine, or 0.0.0.0 for all"
PROXY = "a proxy's URL, such as socks5://host:1080 or http://host:3128"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(PREFIX) or name.lower() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def mistakes() -> list[str]:
    """What is reported of the watchdog's settings."""
    with pytest.raises(SettingsError) as caught:
        read(WatchdogSettings)
    return str(caught.value).splitlines()


def test_everything_has_a_default() -> None:
    Path("models").mkdir()
    Path("models/model.pkl").touch()
    assert read(ServerSettings) == ServerSettings(
        host=Host("127.0.0.1"), port=8000, model=Path("models/model.pkl"), sleep_enabled=None, log_format="text"
    )


def test_a_folder_without_a_model_and_objectives_has_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(ServerSettings).model == ROOT / "models" / "model.pkl"
    assert read(WatchdogSettings).objectives == ROOT / "config" / "slo.yml"
    monkeypatch.setenv("WINE_SLO_OBJECTIVES", "config/slo.yml")
    assert read(WatchdogSettings).objectives == Path("config/slo.yml")


def test_objectives_of_the_package_are_used_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_objectives(read(WatchdogSettings)).name == str(ROOT / "config" / "slo.yml")
    assert "there is no config/slo.yml in this folder, so the objectives of the service" in caplog.text
    caplog.clear()
    monkeypatch.setenv("WINE_SLO_OBJECTIVES", str(ROOT / "config" / "slo.yml"))
    load_objectives(read(WatchdogSettings))
    assert caplog.text == ""


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("WINE_SLO_PORT=1\nWINE_SLO_HOST=::1\nWINE_SLO_POLL_SECONDS=30\n")
    monkeypatch.setenv("WINE_SLO_PORT", "2")
    settings = read(ServerSettings)
    assert (settings.host, settings.port) == ("::1", 2)


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_PORT", "")
    assert read(ServerSettings).port == 8000


def test_every_mistake_is_reported_in_a_line_with_its_name_its_value_and_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WINE_SLO_PORT", "70000")
    monkeypatch.setenv("WINE_SLO_SLEEP_ENABLED", "perhaps")
    with pytest.raises(SettingsError) as caught:
        read(ServerSettings)
    assert str(caught.value).splitlines() == [
        "WINE_SLO_PORT is '70000'; wanted: a whole number from 0 (any free port) to 65535",
        "WINE_SLO_SLEEP_ENABLED is 'perhaps'; wanted: true or false; if not set, true on loopback only",
    ]


# Values


def test_a_value_becomes_what_its_field_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "POLL_SECONDS": "2.5",
        "TELEGRAM_CHAT_IDS": "-1001/5, 42,",
        "TIMEZONE": "Europe/Moscow",
        "TELEGRAM_TOKEN": "110201543:AA",
        "OBJECTIVES": "/etc/slo.yml",
        "PROMETHEUS_URL": "https://[::1]:9090/prometheus",
    }.items():
        monkeypatch.setenv(f"WINE_SLO_{name}", value)
    assert read(WatchdogSettings) == WatchdogSettings(
        poll_seconds=2.5,
        telegram_chat_ids=(ChatAddress("-1001/5"), ChatAddress("42")),
        timezone=ZoneInfo("Europe/Moscow"),
        telegram_token=BotToken("110201543:AA"),
        objectives=Path("/etc/slo.yml"),
        prometheus_url=ReplicaUrls("https://[::1]:9090/prometheus"),
    )


def test_several_prometheus_are_named_by_their_hosts_and_prefixes() -> None:
    urls = ReplicaUrls("https://a:9090, http://b.example/prometheus/")
    assert urls.by_name == {"a:9090": "https://a:9090", "b.example/prometheus": "http://b.example/prometheus/"}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("POLL_SECONDS", "nan", "a number of seconds from 1 to 3600"),
        ("TELEGRAM_CHAT_IDS", "1,me", CHATS),
        ("TIMEZONE", "Mars", "the time zone of the chats, such as Europe/Moscow"),
        ("TIMEZONE", "Europe", "the time zone of the chats, such as Europe/Moscow"),
        ("PROMETHEUS_URL", "localhost:9090", PROMETHEUS),
        ("PROMETHEUS_URL", "http://:9090", PROMETHEUS),
        ("PROMETHEUS_URL", "http://host:99999", PROMETHEUS),
        ("PROMETHEUS_URL", "http://a:9090,b:9090", PROMETHEUS),
        ("PROMETHEUS_URL", "http://a:9090,", PROMETHEUS),
        ("PROMETHEUS_URL", "http://a:9090,http://a:9090/", PROMETHEUS),
        ("PROMETHEUS_URL", "http://a:9090,https://a:9090", PROMETHEUS),
        ("PROMETHEUS_URL", "http://a:9090,HTTP://A:9090", PROMETHEUS),
        ("PROMETHEUS_URL", "http://a,http://a:80", PROMETHEUS),
        ("PROMETHEUS_URL", "http://foo..bar", PROMETHEUS),
        ("PROMETHEUS_URL", f"http://{'a' * 64}.example", PROMETHEUS),
        ("PROMETHEUS_URL", "http://host:9090\n", PROMETHEUS),
        ("PROMETHEUS_URL", "http://ho\tst", PROMETHEUS),
        ("PROMETHEUS_URL", "http://[::1", PROMETHEUS),
        ("PROMETHEUS_URL", "http://host\\x", PROMETHEUS),
        ("PROMETHEUS_TENANT", "a\nX-Other: b", "a tenant's id on one line, sent as X-Scope-OrgID"),
        ("PROMETHEUS_TENANT", "team\r", "a tenant's id on one line, sent as X-Scope-OrgID"),
        ("PROMETHEUS_USERNAME", "a:b", "a name for basic authentication, on one line and without a colon"),
        ("WATCHDOG_HOST", "foo..bar", HOST),
        ("WATCHDOG_HOST", "http://0.0.0.0", HOST),
        ("WATCHDOG_HOST", "0.0.0.0:80", HOST),
        ("TELEGRAM_CHAT_IDS", "12345678901234567890", CHATS),
        ("TELEGRAM_CHAT_IDS", "-9999999999999999", CHATS),
        ("TELEGRAM_CHAT_IDS", "1,0", CHATS),
        ("TELEGRAM_CHAT_IDS", "1_000", CHATS),
        ("TELEGRAM_CHAT_IDS", "١", CHATS),
        ("TELEGRAM_CHAT_IDS", "-100/12345678901234567890", CHATS),
        ("TELEGRAM_CHAT_IDS", "-100/-5", CHATS),
        ("TELEGRAM_ADMIN_IDS", "12345678901234567890", "ids of people, separated by commas; send the bot /id"),
        ("TELEGRAM_ADMIN_IDS", "-100", "ids of people, separated by commas; send the bot /id"),
        ("DATABASE_URL", "mysql://", DATABASE),
        ("DATABASE_URL", "postgresql://db/ledger", DATABASE),
        ("DATABASE_URL", "postgres://db/ledger", DATABASE),
        ("DATABASE_URL", "sqlite:///", DATABASE),
        ("DATABASE_URL", "sqlite:///:memory:", DATABASE),
        ("DATABASE_URL", "sqlite:///file:a.db?uri=true", DATABASE),
        ("DATABASE_URL", "postgresql+psycopg://db:port/ledger", DATABASE),
        ("DATABASE_URL", "postgresql+psycopg://db:99999/ledger", DATABASE),
        ("DATABASE_URL", "postgresql+psycopg://a:5432,b:5432/ledger", DATABASE),
        ("KEEP_DAYS", "36501", "a whole number of days from 90 to 36500, or 0"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("ALLOWED_HOSTS", "http://wine.example.org", "names separated by commas, such as wine.example.org"),
        ("ALLOWED_HOSTS", "wine.example.org,foo..bar", "names separated by commas, such as wine.example.org"),
        ("ALLOWED_HOSTS", "wine.example.org:443", "names separated by commas, such as wine.example.org"),
        ("ALLOWED_HOSTS", "*", "names separated by commas, such as wine.example.org"),
        ("ALLOWED_HOSTS", "wine.example.org;localhost", "names separated by commas, such as wine.example.org"),
        ("WATCHDOG_HOST", "${HOST}", HOST),
        ("PROMETHEUS_URL", "http://${HOST}:9090", PROMETHEUS),
        ("TELEGRAM_ADMIN_IDS", ",", "ids of people, separated by commas; send the bot /id"),
        ("TELEGRAM_CHAT_IDS", " , ,", CHATS),
        ("SERVICE_URL", "http://host/#top", "the root of the service, such as http://host:8000"),
        ("SERVICE_URL", "http://host/?a=b", "the root of the service, such as http://host:8000"),
    ],
)
def test_what_is_not_wanted_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str, wanted: str) -> None:
    monkeypatch.setenv(f"WINE_SLO_{name}", value)
    assert mistakes() == [f"WINE_SLO_{name} is {value!r}; wanted: {wanted}"]


@pytest.mark.parametrize("value", ["", " ", "\t", "  \u00a0 "])
def test_a_blank_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    without = read(WatchdogSettings)
    for name in ("WATCHDOG_PASSWORD", "TELEGRAM_ADMIN_IDS", "WATCHDOG_PORT", "GRAFANA_URL"):
        monkeypatch.setenv(f"WINE_SLO_{name}", value)
    assert read(WatchdogSettings) == without


@pytest.mark.parametrize("where", ["the environment", ".env"])
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("WINE_SLO_PROMETEUS_URL", "; is WINE_SLO_PROMETHEUS_URL meant?"),
        ("WINE_SLO_TELEGRAM_CHAT_ID", "; is WINE_SLO_TELEGRAM_CHAT_IDS meant?"),
        ("WINE_SLO_TELEGRAM_TOKEN_FIEL", "; is WINE_SLO_TELEGRAM_TOKEN_FILE meant?"),
        ("WINE_SLO_POLL_SECONDS_FILE", "; is WINE_SLO_POLL_SECONDS meant?"),
        ("WINE_SLO_COLOUR\u202e\x1b" + "x" * 300, ""),
    ],
)
def test_a_name_that_is_no_setting_is_reported_with_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, where: str, name: str, meant: str
) -> None:
    if where == ".env":
        Path(".env").write_text(f"{name}=hunter2\n")
    else:
        monkeypatch.setenv(name, "hunter2")
    (said,) = unknown(WatchdogSettings, ServerSettings)
    assert said.startswith(name[:15])
    assert said.endswith(f" of {where} is no setting{meant or '; docs/reference/settings.md lists all of them'}")
    assert "hunter2" not in said
    assert said.isprintable()
    assert len(said) < 250


def test_what_is_set_for_others_is_no_unknown_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("WINE_SLO_PROMETHEUS_PORT=9090\nWINE_SLO_GRAFANA_PORT=3000\nOTHER=1\nWINE_SLO_HOST=::1\n")
    for name in ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_8000_TCP", "PORT_8000_TCP_ADDR", "WATCHDOG_SERVICE_PORT"):
        monkeypatch.setenv(f"WINE_SLO_{name}", "10.96.0.12")
    monkeypatch.setenv("WINE_SLO_REDIS_PORT", "tcp://10.96.0.12:6379")
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN_FILE", "/dev/null")
    monkeypatch.setenv("WINE_SLO_ENV_FILE", ".env")
    assert unknown(WatchdogSettings, ServerSettings) == []


def test_a_very_long_value_is_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_LOG_FORMAT", "x" * 100_000)
    assert mistakes() == [f"WINE_SLO_LOG_FORMAT is '{'x' * 200}…'; wanted: text or json"]


def test_systemds_socket_keeps_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    assert read(WatchdogSettings).notify_socket == "/run/systemd/notify"


# The file


def test_a_file_that_is_no_text_is_reported() -> None:
    Path(".env").write_bytes(b"\xff\xfe")
    assert mistakes() == [".env cannot be read: it is not UTF-8; wanted: a text file in UTF-8"]


def test_a_pipe_instead_of_the_file_is_refused_at_once() -> None:
    os.mkfifo(".env")
    assert mistakes() == [".env cannot be read: it is no regular file; wanted: a text file in UTF-8"]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("friday 17:00", "friday 17:00"),
        ("'friday 17:00'", "friday 17:00"),
        ('"friday 17:00"  # when', "friday 17:00"),
        ("Tr0ub4#dor", "Tr0ub4#dor"),
        ("value # comment", "value"),
        ("'a # b'", "a # b"),
        ("it's", "it's"),
        ('"it\'s"', "it's"),
        ("C:\\dir\\new", "C:\\dir\\new"),
        ("'a\\b'", "a\\b"),
        ("pa${HOME}x", "pa${HOME}x"),
        ("'pa${HOME}x'", "pa${HOME}x"),
        ('"pa${HOME}$x$$"', "pa${HOME}$x$$"),
        ("  blanks around  ", "blanks around"),
        ("a=b", "a=b"),
        ("пароль", "пароль"),
        ("'' # nothing", None),
    ],
)
@pytest.mark.parametrize("form", ["{}\n", "\ufeff{}\r\n", "export {}"])
def test_a_value_in_the_file_is_what_it_says(line: str, value: str | None, form: str) -> None:
    Path(".env").write_bytes(form.format(f"WINE_SLO_PROMETHEUS_PASSWORD={line}").encode())
    assert read(WatchdogSettings).prometheus_password == (None if value is None else Secret(value))


@pytest.mark.parametrize(
    "line", ["WINE_SLO_PORT 8000", "WINE_SLO_PORT='8000", 'WINE_SLO_PORT="8000" or so', "WINE_SLO_PORT"]
)
def test_a_line_that_cannot_be_understood_is_reported_with_its_number_and_without_what_it_holds(line: str) -> None:
    Path(".env").write_text(f"# settings\nWINE_SLO_HOST=::1\n{line}\n")
    assert mistakes()[0] == ".env:3 cannot be understood; wanted: NAME=value, and each quote closed at its end"


def test_another_file_can_be_named_and_is_then_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("WINE_SLO_WATCHDOG_PORT=1\n")
    Path("other").write_text("WINE_SLO_WATCHDOG_PORT=2\n")
    monkeypatch.setenv("WINE_SLO_ENV_FILE", "other")
    assert read(WatchdogSettings).watchdog_port == 2
    monkeypatch.setenv("WINE_SLO_ENV_FILE", "nowhere")
    assert mistakes() == ["nowhere cannot be read: No such file or directory; wanted: a text file in UTF-8"]


# Variables that are not ours


@pytest.mark.parametrize("link", ["tcp://10.96.0.12:8000", "udp://10.96.0.12:53", "sctp://[fd00::1]:8000"])
def test_what_kubernetes_sets_for_a_service_of_our_name_counts_as_not_set(
    monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    Path(".env").write_text("WINE_SLO_WATCHDOG_PORT=9001\n")
    for name in ("WINE_SLO_PORT", "WINE_SLO_WATCHDOG_PORT"):
        monkeypatch.setenv(name, link)
        monkeypatch.setenv(f"{name}_8000_TCP", link)
    assert (read(ServerSettings).port, read(WatchdogSettings).watchdog_port) == (8000, 9001)


# Proxies


@pytest.mark.parametrize(
    "proxy",
    [
        "127.0.0.1:1080",
        "ftp://x",
        "socks4://x:1",
        "http://[::1",
        "http://",
        "http://a b",
        "http://x:0",
        "http://x:99999",
        "http://a..b:1",
        "http://x/path",
        "socks5://x:1\n",
    ],
)
@pytest.mark.parametrize("name", ["TELEGRAM_PROXY", "HEARTBEAT_PROXY"])
def test_a_malformed_proxy_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, proxy: str) -> None:
    monkeypatch.setenv(f"WINE_SLO_{name}", proxy)
    assert mistakes() == [f"WINE_SLO_{name} has a value; wanted: {PROXY}"]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_malformed_proxy_of_the_environment_is_refused_where_it_would_be_used(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "ftp://bob:hunter2@x")
    assert read(WatchdogSettings).telegram_way is None, "nothing is behind it"
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN", "1:hunter3")
    assert mistakes() == [
        f"HTTPS_PROXY, HTTP_PROXY or ALL_PROXY of the environment is no proxy for Telegram; wanted: {PROXY}"
    ]
    monkeypatch.setenv("WINE_SLO_TELEGRAM_PROXY", "socks5h://bob:hunter2@[::1]:1080")
    assert read(WatchdogSettings).telegram_way == "socks5h://bob:hunter2@[::1]:1080"
    assert redaction.redact("hunter2 hunter3") == "*** ***"


def test_telegram_and_the_heartbeat_use_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN", "1:x")
    monkeypatch.setenv("WINE_SLO_HEARTBEAT_URL", "https://hc.example/ping")
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy:1080")
    settings = read(WatchdogSettings)
    assert settings.telegram_way == settings.heartbeat_way == "socks5://proxy:1080"
    monkeypatch.setenv("https_proxy", "proxy:3128")
    monkeypatch.setenv("NO_PROXY", "hc.example")
    settings = read(WatchdogSettings)
    assert (settings.telegram_way, settings.heartbeat_way) == ("http://proxy:3128", None)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.9.9.9",
        "127.1",
        "localhost",
        "LOCALHOST.",
        "api.localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ],
)
def test_this_machine_is_never_behind_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    for name, value in {
        "WINE_SLO_TELEGRAM_TOKEN": "1:x",
        "WINE_SLO_TELEGRAM_API_URL": f"http://{host}:8081",
        "WINE_SLO_HEARTBEAT_URL": f"http://{host}:8082/beat",
        "HTTP_PROXY": "http://proxy:3128",
        "WINE_SLO_TELEGRAM_PROXY": "http://proxy:3128",
    }.items():
        monkeypatch.setenv(name, value)
    settings = read(WatchdogSettings)
    assert (settings.telegram_way, settings.heartbeat_way) == (None, None)


# Secrets


def test_a_secrets_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_HEARTBEAT_URL", "hunter2")
    assert mistakes() == ["WINE_SLO_HEARTBEAT_URL has a value; wanted: the URL of a dead-man's switch"]


@pytest.mark.parametrize("token", ["tok\nen", "token\n", "tok en", "tök", "tok\x1ben"])
@pytest.mark.parametrize("name", ["PROMETHEUS_TOKEN", "TELEGRAM_TOKEN"])
def test_a_token_that_cannot_be_sent_is_refused_and_not_said(
    monkeypatch: pytest.MonkeyPatch, name: str, token: str
) -> None:
    monkeypatch.setenv(f"WINE_SLO_{name}", token)
    (mistake,) = mistakes()
    assert mistake.startswith(f"WINE_SLO_{name} has a value; wanted: ")


@pytest.mark.parametrize(
    "url", ["http://bob:hunter2@host", "http://hunter2@host", "http://bob:hunter2@:9090", "bob:hunter2@host"]
)
def test_a_password_in_the_url_of_prometheus_is_refused_with_the_settings_for_it(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WINE_SLO_PROMETHEUS_URL", url)
    (mistake,) = mistakes()
    assert "hunter2" not in mistake
    assert "WINE_SLO_PROMETHEUS_PASSWORD" in mistake


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
@pytest.mark.parametrize("password", ["hunter2", "hun/ter2", "hun@ter2", "hun%2Fter2"])
def test_the_password_of_the_ledger_is_never_shown(monkeypatch: pytest.MonkeyPatch, scheme: str, password: str) -> None:
    monkeypatch.setenv("WINE_SLO_DATABASE_URL", f"{scheme}://bob:{password}@db/ledger")
    monkeypatch.setenv("WINE_SLO_LOG_FORMAT", "xml")
    assert all(part not in mistake for mistake in mistakes() for part in (password, "ter2"))
    monkeypatch.delenv("WINE_SLO_LOG_FORMAT")
    if scheme == "postgresql+psycopg" and "@" not in password:
        read(WatchdogSettings)
    else:
        assert any(mistake.startswith("WINE_SLO_DATABASE_URL is ") for mistake in mistakes())
    assert redaction.redact(f"{password} {unquote(password)}") == "*** ***"


def test_a_password_in_any_other_url_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(("SERVICE_URL", "GRAFANA_URL", "WATCHDOG_URL", "TELEGRAM_API_URL")):
        monkeypatch.setenv(f"WINE_SLO_{name}", f"http://bob:hunter%2F{number}@host")
    settings = read(WatchdogSettings)
    for number in range(4):
        assert f"hunter/{number}" in settings.secrets
        assert redaction.redact(f"hunter%2F{number} hunter/{number}") == "*** ***"


def test_what_gives_access_in_a_url_is_a_secret_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_GRAFANA_URL", "http://grafana/d?orgId=1&auth_token=hunter%2F2&apiKey=hunter-3&x=y")
    monkeypatch.setenv("WINE_SLO_SERVICE_URL", "http://a-long-token@host:8000")
    assert len(read(WatchdogSettings).secrets) > 3
    shown = redaction.redact("hunter%2F2 hunter/2 hunter-3 a-long-token " + b64encode(b"a-long-token:").decode())
    assert shown == "*** *** *** *** ***"


@pytest.mark.parametrize("name", ["PROMETHEUS_URL", "SERVICE_URL", "WATCHDOG_URL", "TELEGRAM_API_URL"])
def test_a_token_behind_the_root_of_an_api_is_refused_and_not_said(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"WINE_SLO_{name}", "http://host/?access_token=hunter2&orgId=7")
    (mistake,) = mistakes()
    assert "is 'http://host/?access_token=***&orgId=7'; wanted: the root of" in mistake


@pytest.mark.parametrize(
    "page",
    [
        "https://example.org/runbook/",
        "https://github.com/owner/name/blob/main/docs/runbook.md",
        "http://wiki.example:8080/pages?id=12",
        "http://10.0.0.7/runbook",
    ],
)
def test_the_page_of_the_runbook_is_an_address_to_which_a_section_can_be_added(
    monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setenv("WINE_SLO_RUNBOOK_URL", page)
    assert read(WatchdogSettings).runbook_url == page


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("https://example.org/runbook/#latency", id="a section of it"),
        pytest.param("docs/runbook.md", id="a path"),
        pytest.param("ftp://example.org/runbook", id="no web page"),
        pytest.param("http://localhost/runbook", id="a host that no button of Telegram can open"),
        pytest.param("http://wiki:8080/runbook", id="a host without a dot"),
        pytest.param("https://example.org/run book", id="a blank"),
        pytest.param("https://", id="no host"),
        pytest.param("https://example.org:65536/", id="no port"),
    ],
)
def test_what_no_alert_can_link_is_no_page_of_the_runbook(monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    monkeypatch.setenv("WINE_SLO_RUNBOOK_URL", page)
    (mistake,) = mistakes()
    assert mistake == (
        f"WINE_SLO_RUNBOOK_URL is {page!r}; wanted: the address of a page, such as https://example.org/runbook/, "
        "without a # and with a host that has a dot"
    )


def test_a_password_in_the_page_of_the_runbook_is_refused_and_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_RUNBOOK_URL", "https://bob:hunter2@example.org/runbook")
    (mistake,) = mistakes()
    assert "hunter2" not in mistake


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
    Path("token").write_text("two words\n")
    assert rotated.reread() is rotated, "that is no token"
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
    headers = read(WatchdogSettings).prometheus_access
    assert sent() == expected.format("hunter2")
    Path("secret").write_text("hunter3\n")
    assert sent() == expected.format("hunter3")
    Path("secret").unlink()
    assert sent() == expected.format("hunter3"), "it is being exchanged"
    Path("new").write_text("hunter4\n")
    Path("link").symlink_to("new")
    Path("link").replace("secret")
    assert sent() == expected.format("hunter4"), "as Kubernetes exchanges it"


def test_more_headers_are_sent_as_their_file_holds_them_now_and_never_shown() -> None:
    Path("headers").write_text("X-Api-Key: hunter2\nTHANOS-TENANT:  blue \n\n")
    Path(".env").write_text("WINE_SLO_PROMETHEUS_HEADERS_FILE=headers\nWINE_SLO_PROMETHEUS_TENANT=red\n")
    headers = read(WatchdogSettings).prometheus_access
    assert dict(headers) == {"X-Scope-OrgID": "red", "X-Api-Key": "hunter2", "THANOS-TENANT": "blue"}
    assert redaction.redact("hunter2") == "***"
    Path("headers").write_text("X-Api-Key: hunter3\n")
    assert dict(headers) == {"X-Scope-OrgID": "red", "X-Api-Key": "hunter3"}
    Path("headers").write_text("no header\n")
    assert headers["X-Api-Key"] == "hunter3"


def test_a_header_of_their_own_replaces_that_of_another_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_PROMETHEUS_TOKEN", "hunter2")
    monkeypatch.setenv("WINE_SLO_PROMETHEUS_HEADERS", "authorization: Key hunter3")
    assert dict(read(WatchdogSettings).prometheus_access) == {"authorization": "Key hunter3"}


@pytest.mark.parametrize(
    "header",
    [
        "no header",
        "X-Api-Key:",
        "X Api: key",
        "X-Key: a\nb",
        "X-Key: \u00e9",
        "X-Key: a\nx-key: b",
        "Content-Length: 5",
    ],
)
def test_what_is_no_header_is_refused_and_not_said(monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.setenv("WINE_SLO_PROMETHEUS_HEADERS", header)
    with pytest.raises(SettingsError, match="WINE_SLO_PROMETHEUS_HEADERS has a value; wanted: a header such as X-Api"):
        read(WatchdogSettings)


def test_a_wrong_secret_in_a_file_is_refused_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("headers").write_text("X-Api-Key: hunter2\nhunter3\n")
    monkeypatch.setenv("WINE_SLO_PROMETHEUS_HEADERS_FILE", "headers")
    (mistake,) = mistakes()
    assert mistake.startswith(
        "WINE_SLO_PROMETHEUS_HEADERS is in the file 'headers', which holds something else; wanted"
    )
    assert "hunter" not in mistake


def test_a_secret_that_stands_in_a_pipe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo("pipe")
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN_FILE", "pipe")
    assert mistakes() == [
        (
            "WINE_SLO_TELEGRAM_TOKEN_FILE is 'pipe', which cannot be read: it is no regular file; "
            "wanted: the path of a text file"
        )
    ]


def test_a_secrets_file_that_cannot_be_read_is_reported_with_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINE_SLO_TELEGRAM_TOKEN_FILE", "nowhere")
    monkeypatch.setenv("WINE_SLO_WATCHDOG_PORT", "-1")
    assert mistakes() == [
        "WINE_SLO_WATCHDOG_PORT is '-1'; wanted: a whole number from 0 (any free) to 65535",
        (
            "WINE_SLO_TELEGRAM_TOKEN_FILE is 'nowhere', which cannot be read: No such file or directory; "
            "wanted: the path of a text file"
        ),
    ]


@pytest.mark.parametrize(
    ("host", "sleep_enabled", "has_fault_endpoints"),
    [
        ("127.0.0.1", None, True),
        ("::1", None, True),
        ("localhost", None, True),
        ("0.0.0.0", None, False),
        ("::", None, False),
        ("192.0.2.1", None, False),
        ("0.0.0.0", True, True),
        ("127.0.0.1", False, False),
    ],
)
def test_exercises_are_on_by_default_only_on_loopback(
    host: str, *, sleep_enabled: bool | None, has_fault_endpoints: bool
) -> None:
    assert ServerSettings(host=Host(host), sleep_enabled=sleep_enabled).has_fault_endpoints is has_fault_endpoints


# TLS


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two identities, and files that are none."""
    folder = tmp_path_factory.mktemp("pem")
    authority = Authority(folder)
    for name in ("own", "other"):
        authority.identity(name)
    (folder / "junk.pem").write_text("junk")
    (folder / "encrypted.key").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    return folder


CA = "the path of a file with the certificates of CAs, in PEM"
CERT = "the path of a file with this client's certificate, in PEM"
KEY = "the path of a file with the key of that certificate, in PEM and not encrypted"


@pytest.mark.parametrize(
    ("files", "mistake"),
    [
        pytest.param(
            {"CA": "nowhere"},
            f"_CA_FILE is 'nowhere': it cannot be read: No such file or directory; wanted: {CA}",
            id="no file",
        ),
        pytest.param(
            {"CA": "junk.pem"}, f"_CA_FILE is 'junk.pem': it holds no certificate in PEM; wanted: {CA}", id="no CA"
        ),
        pytest.param(
            {"CERT": "own.pem"},
            "only WINE_SLO_PROMETHEUS_CERT_FILE is set; wanted: "
            "WINE_SLO_PROMETHEUS_CERT_FILE and WINE_SLO_PROMETHEUS_KEY_FILE, or none of both",
            id="no key",
        ),
        pytest.param(
            {"CERT": "own.key", "KEY": "own.key"},
            f"_CERT_FILE is 'own.key': it holds no certificate in PEM; wanted: {CERT}",
            id="a key as certificate",
        ),
        pytest.param(
            {"CERT": "own.pem", "KEY": "own.pem"},
            f"_KEY_FILE is 'own.pem': it holds no key in PEM; wanted: {KEY}",
            id="a certificate as key",
        ),
        pytest.param(
            {"CERT": "own.pem", "KEY": "other.key"},
            f"_KEY_FILE is 'other.key': it is the key of another certificate; wanted: {KEY}",
            id="another key",
        ),
        pytest.param(
            {"CERT": "own.pem", "KEY": "encrypted.key"},
            f"_KEY_FILE is 'encrypted.key': its key is encrypted; wanted: {KEY}",
            id="a passphrase",
        ),
    ],
)
def test_a_file_for_tls_that_cannot_be_used_is_named_with_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch, pem: Path, files: dict[str, str], mistake: str
) -> None:
    monkeypatch.chdir(pem)
    monkeypatch.setenv("WINE_SLO_PROMETHEUS_URL", "https://prometheus.example")
    for name, file in files.items():
        monkeypatch.setenv(f"WINE_SLO_PROMETHEUS_{name}_FILE", file)
    assert mistakes() == [("WINE_SLO_PROMETHEUS" if mistake.startswith("_") else "") + mistake]


def test_files_for_tls_are_read(monkeypatch: pytest.MonkeyPatch, pem: Path) -> None:
    monkeypatch.chdir(pem)
    monkeypatch.setenv("WINE_SLO_PROMETHEUS_URL", "https://prometheus.example")
    for name, file in (("CA", "ca.pem"), ("CERT", "own.pem"), ("KEY", "own.key")):
        monkeypatch.setenv(f"WINE_SLO_PROMETHEUS_{name}_FILE", file)
    context = read(WatchdogSettings).prometheus_tls.read()
    assert isinstance(context, ssl.SSLContext)
    assert len(context.get_ca_certs()) == 1, "in place of those of the system"


def test_an_empty_file_of_compose_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CA", "CERT", "KEY"):
        monkeypatch.setenv(f"WINE_SLO_PROMETHEUS_{name}_FILE", os.devnull)
    assert read(WatchdogSettings).prometheus_tls.read() is True


def test_files_for_tls_want_an_https_url(monkeypatch: pytest.MonkeyPatch, pem: Path) -> None:
    monkeypatch.setenv("WINE_SLO_PROMETHEUS_CA_FILE", str(pem / "ca.pem"))
    (mistake,) = mistakes()
    assert mistake.startswith("WINE_SLO_PROMETHEUS_URL is 'http://127.0.0.1:9090'; wanted: an https URL, as ")
