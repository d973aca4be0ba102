"""The settings of both processes, from the environment or `.env`; the only place that reads them.

A setting is a field: its name, type and default, and a `Meta` with what is wanted of it. The variable is the field's
name in capitals behind WINE_SLO_. An empty value counts as not set. Each secret can also stand in a file that
`NAME_FILE` names. All mistakes are told at once. In `.env` nothing is expanded: a value is what it says.
"""

import os
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from dotenv.parser import parse_stream
from msgspec import Meta

from wine_slo.config import text_file
from wine_slo.config.hosts import is_loopback
from wine_slo.config.setting_types import (
    BotToken,
    ChatAddress,
    Header,
    Host,
    Hours,
    PersonId,
    ProxyUrl,
    Secret,
    SecretUrl,
    Token,
    Url,
    UrlWithoutPassword,
    UserName,
    is_this_machine,
)
from wine_slo.slo import redaction

PREFIX = "WINE_SLO_"
FILE = Path(".env")
S = TypeVar("S", bound="Settings")
LINK = re.compile(r"(tcp|udp|sctp)://.*")  # what Kubernetes and Docker set for a service of the name wine-slo


class SettingsError(Exception):
    """Settings that cannot be used; the text has one line for each mistake."""


class PrometheusHeaders(Mapping[str, str]):
    """Headers that authorise us; each use reads a token or a password in a file again, as it may be rotated.

    What the file held last is sent while it cannot be read.
    """

    def __init__(self, token: Secret | None, username: str | None, password: Secret | None, tenant: str | None) -> None:
        self._token = token
        self._username = username
        self._password = password
        self._tenant = tenant

    def __getitem__(self, name: str) -> str:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> dict[str, str]:
        headers = {}
        if self._token:
            self._token = self._token.reread()
            headers["Authorization"] = f"Bearer {self._token.value}"
        elif self._username:
            self._password = self._password and self._password.reread()
            pair = f"{self._username}:{self._password.value if self._password else ''}"
            if self._password:
                redaction.learn([pair])  # it is sent as base64, and a rotated one is new
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        if self._tenant:
            headers["X-Scope-OrgID"] = self._tenant
        return headers


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: f"{PREFIX}{name.upper()}"):
    """What all settings have."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every secret's value, so that it can be kept out of what is printed."""
        values = (getattr(self, name) for name in self.__struct_fields__)
        return tuple(part for value in values if isinstance(value, Secret | Url) for part in value.hidden)

    def mistakes(self) -> list[str]:
        """Return what is wrong together, a sentence each."""
        return []


LONGEST_SHOWN = 200  # letters of a wrong value in a sentence
Port = Annotated[int, Meta(ge=0, le=65535)]
LogFormat = Literal["text", "json"]
PROXY = "a proxy's URL, such as socks5://host:1080 or http://host:3128"
NAMES = "names separated by commas, such as wine.example.org"


class ServerSettings(Settings, frozen=True, kw_only=True):
    """The server's."""

    host: Annotated[Host, Meta(description="an address of this machine, or 0.0.0.0 for all of them")] = Host(
        "127.0.0.1"
    )
    port: Annotated[Port, Meta(description="a whole number from 0 (any free port) to 65535")] = 8000
    model: Annotated[Path, Meta(description="the path of a model that `wine-slo train` wrote")] = Path(
        "models/model.pkl"
    )
    sleep_enabled: Annotated[bool | None, Meta(description="true or false; if not set, true on loopback only")] = None
    allowed_hosts: Annotated[tuple[Host, ...], Meta(description=NAMES)] = ()
    log_format: Annotated[LogFormat, Meta(description="text or json")] = "text"

    @property
    def has_exercises(self) -> bool:
        """Return whether there are /sleep and /fail: as it is set, else where only this machine reaches them."""
        return is_loopback(self.host) if self.sleep_enabled is None else self.sleep_enabled


class WatchdogSettings(Settings, frozen=True, kw_only=True):
    """The watchdog's."""

    prometheus_url: Annotated[
        UrlWithoutPassword,
        Meta(
            description="the root of Prometheus' API, such as http://host:9090; a name and a password belong in "
            "WINE_SLO_PROMETHEUS_USERNAME and WINE_SLO_PROMETHEUS_PASSWORD"
        ),
    ] = UrlWithoutPassword("http://127.0.0.1:9090")
    prometheus_token: Annotated[
        Token | None, Meta(description="a bearer token: letters, digits and signs on one line, without blanks")
    ] = None
    prometheus_username: Annotated[
        UserName | None, Meta(description="a name for basic authentication, on one line and without a colon")
    ] = None
    prometheus_password: Annotated[Secret | None, Meta(description="its password")] = None
    prometheus_tenant: Annotated[
        Header | None, Meta(description="a tenant's id on one line, sent as X-Scope-OrgID")
    ] = None
    poll_seconds: Annotated[float, Meta(ge=1, le=3600, description="a number of seconds from 1 to 3600")] = 30
    objectives: Annotated[Path, Meta(description="the path of a file such as slo.yml")] = Path("config/slo.yml")
    database_url: Annotated[
        str,
        Meta(
            pattern=r"^sqlite:///.",
            description="an SQLAlchemy URL: sqlite:///relative/path or sqlite:////absolute/path",
        ),
    ] = "sqlite:///data/watchdog.db"
    standby: Annotated[bool, Meta(description="true or false")] = False
    heartbeat_url: Annotated[SecretUrl | None, Meta(description="the URL of a dead-man's switch")] = None
    heartbeat_proxy: Annotated[ProxyUrl | None, Meta(description=PROXY)] = None
    notify_socket: Annotated[str | None, Meta(description="systemd's; it sets it itself")] = msgspec.field(
        default=None, name="NOTIFY_SOCKET"
    )
    watchdog_usec: Annotated[int, Meta(ge=0, description="systemd's, in microseconds; it sets it itself")] = (
        msgspec.field(default=0, name="WATCHDOG_USEC")
    )
    watchdog_host: Annotated[Host, Meta(description="an address of this machine, or 0.0.0.0 for all")] = Host(
        "127.0.0.1"
    )
    watchdog_port: Annotated[Port, Meta(description="a whole number from 0 (any free) to 65535")] = 8001
    watchdog_password: Annotated[Secret | None, Meta(description="a password for the watchdog's pages")] = None
    watchdog_login_required: Annotated[bool, Meta(description="true or false")] = True
    allowed_hosts: Annotated[tuple[Host, ...], Meta(description=NAMES)] = ()
    service_url: Annotated[Url, Meta(description="the root of the service, such as http://host:8000")] = Url(
        "http://127.0.0.1:8000"
    )
    watchdog_url: Annotated[Url | None, Meta(description="the root of the watchdog, such as http://host:8001")] = None
    grafana_url: Annotated[Url | None, Meta(description="an address of Grafana, for a link on the status page")] = None
    telegram_token: Annotated[BotToken | None, Meta(description="the bot's token, as @BotFather gave it")] = None
    telegram_chat_ids: Annotated[
        tuple[ChatAddress, ...], Meta(description="chat ids separated by commas; ask the bot /id")
    ] = ()
    telegram_second_chat_ids: Annotated[
        tuple[ChatAddress, ...],
        Meta(description="ids of chats for what nobody acknowledges, separated by commas; ask the bot /id"),
    ] = ()
    telegram_admin_ids: Annotated[
        tuple[PersonId, ...], Meta(description="ids of people, separated by commas; ask the bot /id")
    ] = ()
    escalate_minutes: Annotated[float, Meta(ge=0, le=1440, description="minutes from 0 (never) to 1440")] = 15
    quiet_hours: Annotated[Hours | None, Meta(description="two times of day, such as 22:00-07:00")] = None
    quiet_hours_pages: Annotated[bool, Meta(description="true or false")] = True
    telegram_api_url: Annotated[Url | None, Meta(description="the root of an own Bot API server")] = None
    telegram_proxy: Annotated[ProxyUrl | None, Meta(description=PROXY)] = None
    timezone: Annotated[ZoneInfo, Meta(description="the time zone of the chats, such as Europe/Moscow")] = ZoneInfo(
        "UTC"
    )
    charts_enabled: Annotated[bool, Meta(description="true or false")] = True
    digest_at: Annotated[
        str,
        Meta(
            pattern=r"^(off|(mon|tues|wednes|thurs|fri|satur|sun)day ([01]?\d|2[0-3]):[0-5]\d)$",
            description="a day and a time in the zone of the chats, such as monday 9:00, or off",
        ),
    ] = "monday 9:00"
    language: Annotated[Literal["en", "ru"], Meta(description="en or ru; a chat chooses its own with /language")] = "en"
    log_format: Annotated[LogFormat, Meta(description="text or json")] = "text"

    @property
    def watchdog_root(self) -> str:
        """Return where the watchdog is found: as it is set, else where it listens."""
        if self.watchdog_url:
            return self.watchdog_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.watchdog_host, self.watchdog_host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.watchdog_port}"

    def mistakes(self) -> list[str]:
        """Return what is wrong of the proxies that the environment names for what has none of its own."""
        found = []
        for name, url, own in self._outside:
            if url and own is None:
                try:
                    _proxy_of_environment(url)
                except ValueError:
                    variables = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY"
                    found.append(f"{variables} of the environment is no proxy for {name}; wanted: {PROXY}")
        return found

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every secret's value, those of proxies in the environment too."""
        own = super().secrets
        if self.prometheus_password:
            own += (f"{self.prometheus_username or ''}:{self.prometheus_password.value}",)
        return own + tuple(part for url in getproxies().values() for part in redaction.credentials_of(url))

    @property
    def telegram_way(self) -> str | None:
        """Return the proxy through which Telegram is reached, the environment's too; None for none."""
        return _way(*self._outside[0][1:])

    @property
    def heartbeat_way(self) -> str | None:
        """Return the proxy through which the dead-man's switch is reached, the environment's too; None for none."""
        return _way(*self._outside[1][1:])

    @property
    def _outside(self) -> "tuple[tuple[str, str | None, ProxyUrl | None], ...]":
        """Return what may be behind a proxy: its name, its URL and a proxy of its own."""
        api = self.telegram_api_url or "https://api.telegram.org"
        return (
            ("Telegram", api if self.telegram_token else None, self.telegram_proxy),
            ("the heartbeat", self.heartbeat_url.value if self.heartbeat_url else None, self.heartbeat_proxy),
        )

    @property
    def prometheus_headers(self) -> "PrometheusHeaders":
        """Return what authorises us at Prometheus, or at what speaks its API."""
        return PrometheusHeaders(
            self.prometheus_token, self.prometheus_username, self.prometheus_password, self.prometheus_tenant
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as it is read and as documentation lists it."""

    field: str
    variable: str
    type: Any
    default: str  # as one would write it; "" where there is none
    wanted: str
    is_list: bool
    is_secret: bool

    def read(self, variables: dict[str, str]) -> Any:
        """Return its value; None where it is not set.

        Raises:
            SettingsError: the value is not what is wanted, or the file that holds it cannot be read.
        """
        text, file = variables.get(self.variable), None
        if not text and self.is_secret and (name := variables.get(f"{self.variable}_FILE")):
            file = Path(name)
            text = self._read_file(file)
        if not text:
            return None
        value = [each.strip() for each in text.split(",") if each.strip()] if self.is_list else text
        try:
            read = msgspec.convert(value, self.type, strict=False, dec_hook=lambda kind, part: kind(part))
        except (msgspec.ValidationError, ZoneInfoNotFoundError, OSError) as error:  # OSError: a folder of time zones
            is_hidden = self.is_secret or ("@" in text and "://" not in text)  # perhaps a password without a scheme
            shown = "has a value" if is_hidden else f"is {_clipped(text)!r}"
            raise SettingsError(f"{self.variable} {shown}; wanted: {self.wanted}") from error
        if isinstance(read, Secret):
            read.file = file
        return read

    def _read_file(self, path: Path) -> str:
        try:
            return text_file.read(path).strip()
        except text_file.TextFileError as error:
            raise SettingsError(
                f"{self.variable}_FILE is {str(path)!r}, which cannot be read: {error}; wanted: the path of a text file"
            ) from error


def listed(settings: type[Settings]) -> list[Setting]:
    """Return what can be set, in order."""
    return [_setting(field) for field in msgspec.structs.fields(settings)]


def read(settings: type[S]) -> S:
    """Return the settings that the environment and `.env` hold.

    Raises:
        SettingsError: some cannot be used.
    """
    variables = _variables()
    values: dict[str, Any] = {}
    mistakes: list[str] = []
    for setting in listed(settings):
        try:
            value = setting.read(variables)
        except SettingsError as error:
            mistakes.append(str(error))
        else:
            if value is not None:
                values[setting.field] = value
    if not mistakes:
        found = settings(**values)
        redaction.learn(found.secrets)
        mistakes = found.mistakes()
    if mistakes:
        raise SettingsError(redaction.redact("\n".join(mistakes)))
    return found


def is_set(variable: str) -> bool:
    """Return whether a variable has a value, in the environment or in `.env`.

    Raises:
        SettingsError: `.env` cannot be read.
    """
    return variable in _variables()


def read_file(path: Path) -> None:
    """Read this file instead of `.env` from now on, whatever WINE_SLO_ENV_FILE says."""
    _chosen[:] = [path]


_chosen: list[Path] = []


def file() -> Path:
    """Return the file that is read beside the environment."""
    named = os.environ.get(f"{PREFIX}ENV_FILE")
    return _chosen[0] if _chosen else Path(named) if named else FILE


def _variables() -> dict[str, str]:
    """Return what is set, by its name in capitals; the environment wins over the file."""
    found = {name.upper(): value for name, value in _read_file(file()).items() if value}
    for name, value in os.environ.items():
        is_link = name.upper().endswith("_PORT") and LINK.fullmatch(value)
        if value and not is_link:
            found[name.upper()] = value
    return found


def _read_file(path: Path) -> dict[str, str | None]:
    """Return what a file of variables holds; nothing where there is none, and none was asked for by its name.

    Raises:
        SettingsError: it cannot be read, or not every line of it can be understood.
    """
    if path == FILE and not path.exists():
        return {}
    try:
        text = text_file.read(path)
    except text_file.TextFileError as error:
        raise SettingsError(f"{path} cannot be read: {error}; wanted: a text file in UTF-8") from error
    lines = list(parse_stream(StringIO(text)))
    mistakes = [
        f"{path}:{line.original.line} cannot be understood; wanted: NAME=value, and each quote closed at its end"
        for line in lines
        if line.error or (line.key is not None and line.value is None)
    ]
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    return {line.key: line.value for line in lines if line.key is not None}


def _way(url: str | None, own: ProxyUrl | None) -> str | None:
    """Return the proxy for a URL: its own, else the environment's; none for what is on this machine."""
    if url is None or is_this_machine(urlsplit(url).hostname or ""):
        return None
    return own.value if own else _proxy_of_environment(url)


def _proxy_of_environment(url: str) -> str | None:
    """Return the proxy that the environment names for a URL.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(url)
    named = getproxies()
    proxy = named.get(parts.scheme) or named.get("all")
    if not proxy or is_this_machine(parts.hostname or "") or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return ProxyUrl(proxy if "://" in proxy else f"http://{proxy}").value  # as curl and others take it


def _setting(field: msgspec.structs.FieldInfo) -> Setting:
    kind, *_, about = get_args(field.type)
    kinds = (kind, *get_args(kind))
    return Setting(
        field.name,
        field.encode_name,
        field.type,
        _written(field.default),
        about.description,
        is_list=get_origin(kind) is tuple,
        is_secret=any(isinstance(each, type) and issubclass(each, Secret) for each in kinds),
    )


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _written(value: object) -> str:
    match value:
        case None | ():
            return ""
        case bool():
            return str(value).lower()
        case _:
            return str(value)
