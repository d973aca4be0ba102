"""The settings of both processes, from the environment or `.env`; the only place that reads them.

A setting is a field: its name, type and default, and a `Meta` with what is wanted of it. The variable is the field's
name in capitals behind WINE_SLO_. An empty value counts as not set. Each secret can also stand in a file that
`NAME_FILE` names. All mistakes are told at once.
"""

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_origin
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from dotenv import dotenv_values
from msgspec import Meta

from wine_slo import text_file
from wine_slo.domain import redaction
from wine_slo.domain.moments import QuietHours

PREFIX = "WINE_SLO_"
FILE = Path(".env")
S = TypeVar("S", bound="Settings")


class SettingsError(Exception):
    """Settings that cannot be used; the text has one line for each mistake."""


class Url(str):
    """An http or https URL."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return the URL.

        Raises:
            ValueError: it is none.
        """
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0 or " " in text:
            raise ValueError("is no URL")
        return super().__new__(cls, text)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show: the password in it, if there is one."""
        return redaction.credentials_of(self)


class Secret:
    """What nobody may see; neither a log nor a traceback shows it.

    Attributes:
        value: The secret itself.
        file: The file that holds it; None where it stands in the environment or in `.env`.
    """

    def __init__(self, value: str, file: Path | None = None) -> None:
        self.value = value
        self.file = file

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show."""
        return (self.value,)

    def reread(self) -> Self:
        """Return the secret as its file holds it now, for one that is rotated while the process runs.

        It is the same where it stands in no file, and where the file cannot be read, is empty or holds what this kind
        of secret cannot be. A new one is hidden in all output from now on. Blocks on the disk, shortly.
        """
        if self.file is None:
            return self
        try:
            found = type(self)(text_file.read(self.file).strip(), self.file)
        except (text_file.TextFileError, ValueError):
            return self
        if not found.value or found == self:
            return self
        redaction.learn(found.hidden)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __repr__(self) -> str:
        return "***"


class SecretUrl(Secret):
    """A URL that holds a secret.

    Raises:
        ValueError: it is no URL.
    """

    def __init__(self, value: str, file: Path | None = None) -> None:
        super().__init__(Url(value), file)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show: the URL, and each secret part of it by itself."""
        return redaction.parts_of_url(self.value)


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
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        if self._tenant:
            headers["X-Scope-OrgID"] = self._tenant
        return headers


LARGEST_CHAT_ID = 2**52  # by the manual of the Bot API an id has at most 52 bits; 0 is the terminal


class ChatAddress(int):
    """A chat's id, and a topic of it where it is a forum: `-1001234/5`.

    Attributes:
        topic: The topic's id; None for the chat itself.
    """

    topic: int | None

    def __new__(cls, text: str) -> Self:
        """Return the address.

        Raises:
            ValueError: it is none.
        """
        chat, slash, topic = str(text).partition("/")
        address = super().__new__(cls, chat)
        if not 0 < abs(address) < LARGEST_CHAT_ID:
            raise ValueError(chat)
        address.topic = int(topic) if slash else None
        return address


class Hours(str):
    """Two times of day, such as 22:00-07:00."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return the hours.

        Raises:
            ValueError: it is none.
        """
        QuietHours.parse(text, UTC)
        return super().__new__(cls, text)


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: f"{PREFIX}{name.upper()}"):
    """What all settings have."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every secret's value, so that it can be kept out of what is printed."""
        values = (getattr(self, name) for name in self.__struct_fields__)
        return tuple(part for value in values if isinstance(value, Secret | Url) for part in value.hidden)


Ids = tuple[int, ...]
Port = Annotated[int, Meta(ge=0, le=65535)]
LogFormat = Literal["text", "json"]


class ServerSettings(Settings, frozen=True, kw_only=True):
    """The server's."""

    host: Annotated[str, Meta(description="an address of this machine, or 0.0.0.0 for all of them")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="a whole number from 0 (any free port) to 65535")] = 8000
    model: Annotated[Path, Meta(description="the path of a model that `wine-slo train` wrote")] = Path(
        "models/model.pkl"
    )
    sleep_enabled: Annotated[bool, Meta(description="true or false")] = True
    log_format: Annotated[LogFormat, Meta(description="text or json")] = "text"


class WatchdogSettings(Settings, frozen=True, kw_only=True):
    """The watchdog's."""

    prometheus_url: Annotated[Url, Meta(description="the root of Prometheus' API, such as http://host:9090")] = Url(
        "http://127.0.0.1:9090"
    )
    prometheus_token: Annotated[Secret | None, Meta(description="a bearer token")] = None
    prometheus_username: Annotated[str | None, Meta(description="a name for basic authentication")] = None
    prometheus_password: Annotated[Secret | None, Meta(description="its password")] = None
    prometheus_tenant: Annotated[str | None, Meta(description="a tenant's id, sent as X-Scope-OrgID")] = None
    poll_seconds: Annotated[float, Meta(ge=1, le=3600, description="a number of seconds from 1 to 3600")] = 30
    objectives: Annotated[Path, Meta(description="the path of a file such as slo.yml")] = Path("slo.yml")
    database_url: Annotated[
        str,
        Meta(
            pattern=r"^sqlite:///.",
            description="an SQLAlchemy URL: sqlite:///relative/path or sqlite:////absolute/path",
        ),
    ] = "sqlite:///data/watchdog.db"
    standby: Annotated[bool, Meta(description="true or false")] = False
    heartbeat_url: Annotated[SecretUrl | None, Meta(description="the URL of a dead-man's switch")] = None
    notify_socket: Annotated[str | None, Meta(description="systemd's; it sets it itself")] = msgspec.field(
        default=None, name="NOTIFY_SOCKET"
    )
    watchdog_usec: Annotated[int, Meta(ge=0, description="systemd's, in microseconds; it sets it itself")] = (
        msgspec.field(default=0, name="WATCHDOG_USEC")
    )
    watchdog_host: Annotated[str, Meta(description="an address of this machine, or 0.0.0.0 for all")] = "127.0.0.1"
    watchdog_port: Annotated[Port, Meta(description="a whole number from 0 (any free) to 65535")] = 8001
    service_url: Annotated[Url, Meta(description="the root of the service, such as http://host:8000")] = Url(
        "http://127.0.0.1:8000"
    )
    watchdog_url: Annotated[Url | None, Meta(description="the root of the watchdog, such as http://host:8001")] = None
    grafana_url: Annotated[Url | None, Meta(description="an address of Grafana, for a link on the status page")] = None
    telegram_token: Annotated[Secret | None, Meta(description="the bot's token, as @BotFather gave it")] = None
    telegram_chat_ids: Annotated[
        tuple[ChatAddress, ...], Meta(description="chat ids separated by commas; ask the bot /id")
    ] = ()
    telegram_second_chat_ids: Annotated[
        tuple[ChatAddress, ...],
        Meta(description="ids of chats for what nobody acknowledges, separated by commas; ask the bot /id"),
    ] = ()
    telegram_admin_ids: Annotated[
        tuple[int, ...], Meta(description="ids of people, separated by commas; ask the bot /id")
    ] = ()
    escalate_minutes: Annotated[float, Meta(ge=0, le=1440, description="minutes from 0 (never) to 1440")] = 15
    quiet_hours: Annotated[Hours | None, Meta(description="two times of day, such as 22:00-07:00")] = None
    quiet_hours_pages: Annotated[bool, Meta(description="true or false")] = True
    telegram_api_url: Annotated[Url | None, Meta(description="the root of an own Bot API server")] = None
    telegram_proxy: Annotated[Secret | None, Meta(description="a proxy's URL, such as socks5://host:1080")] = None
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
            shown = "has a value" if self.is_secret else f"is {text!r}"
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
    if mistakes:
        raise SettingsError(redaction.redact("\n".join(mistakes)))
    found = settings(**values)
    redaction.learn(found.secrets)
    return found


def _variables() -> dict[str, str]:
    """Return what is set, by its name in capitals; the environment wins over the file."""
    try:
        file = dotenv_values(FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{FILE} cannot be read; wanted: a text file in UTF-8") from error
    return {name.upper(): value for source in (file, os.environ) for name, value in source.items() if value}


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


def _written(value: object) -> str:
    match value:
        case None | ():
            return ""
        case bool():
            return str(value).lower()
        case _:
            return str(value)
