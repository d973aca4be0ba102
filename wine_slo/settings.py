"""The settings of both processes, from the environment or `.env`; the only place that reads them.

An empty value counts as not set. Each secret can also stand in a file that `NAME_FILE` names. All mistakes are told
at once.
"""

from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, HttpUrl, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, NoDecode, SettingsConfigDict
from pydantic_settings.sources import PydanticBaseSettingsSource

PREFIX = "WINE_SLO_"
S = TypeVar("S", bound=BaseSettings)


class SettingsError(Exception):
    """Settings that cannot be used; the text has one line for each mistake."""


class Settings(BaseSettings):
    """Where values come from. A field's description says what is wanted."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",  # `.env` holds both processes' settings
        frozen=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # pydantic's directory of secrets; unused
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from, the first that has one wins."""
        return init_settings, env_settings, dotenv_settings, SecretFiles(settings_cls, env_settings, dotenv_settings)


class SecretFiles(PydanticBaseSettingsSource):
    """Secrets that stand in a file of their own, which `NAME_FILE` names."""

    def __init__(self, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._variables = {
            name.upper(): value
            for source in reversed(sources)
            if isinstance(source, (EnvSettingsSource, DotEnvSettingsSource))
            for name, value in source.env_vars.items()
        }

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the content of a secret's file, where there is one."""
        path = self._variables.get(f"{PREFIX}{field_name.upper()}_FILE")
        if not path or not _is_secret(field):
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None, field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{PREFIX}{field_name.upper()}_FILE is {path!r}, which cannot be read; wanted: the path of a text file"
            ) from error

    def __call__(self) -> dict[str, Any]:
        """Return every secret that a file holds."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _ids(text: object) -> object:
    return [each.strip() for each in text.split(",") if each.strip()] if isinstance(text, str) else text


def _zone(text: object) -> object:
    try:
        return ZoneInfo(text) if isinstance(text, str) else text
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("is no time zone") from error


Ids = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_ids)]
Zone = Annotated[tzinfo, BeforeValidator(_zone)]
LogFormat = Literal["text", "json"]


class ServerSettings(Settings):
    """The server's."""

    host: str = Field(default="127.0.0.1", description="an address of this machine, or 0.0.0.0 for all of them")
    port: int = Field(default=8000, ge=0, le=65535, description="a whole number from 0 (any free port) to 65535")
    model: Path = Field(default=Path("models/model.pkl"), description="the path of a model that `wine-slo train` wrote")
    sleep_enabled: bool = Field(default=True, description="true or false")
    log_format: LogFormat = Field(default="text", description="text or json")


class WatchdogSettings(Settings):
    """The watchdog's."""

    model_config = SettingsConfigDict(arbitrary_types_allowed=True)

    prometheus_url: HttpUrl = Field(
        default=HttpUrl("http://127.0.0.1:9090"), description="the root of Prometheus' API, such as http://host:9090"
    )
    prometheus_token: SecretStr | None = Field(default=None, description="a bearer token")
    prometheus_username: str | None = Field(default=None, description="a name for basic authentication")
    prometheus_password: SecretStr | None = Field(default=None, description="its password")
    prometheus_tenant: str | None = Field(default=None, description="a tenant's id, sent as X-Scope-OrgID")
    poll_seconds: float = Field(default=30, ge=1, le=3600, description="a number of seconds from 1 to 3600")
    objectives: Path = Field(default=Path("slo.yml"), description="the path of a file such as slo.yml")
    database_url: str = Field(
        default="sqlite:///data/watchdog.db",
        pattern=r"^sqlite:///.",
        description="an SQLAlchemy URL: sqlite:///relative/path or sqlite:////absolute/path",
    )
    heartbeat_url: SecretStr | None = Field(default=None, description="the URL of a dead-man's switch")
    notify_socket: str | None = Field(
        default=None, validation_alias="NOTIFY_SOCKET", description="systemd's; it sets it itself"
    )
    watchdog_host: str = Field(default="127.0.0.1", description="an address of this machine, or 0.0.0.0 for all")
    watchdog_port: int = Field(default=8001, ge=0, le=65535, description="a whole number from 0 (any free) to 65535")
    telegram_token: SecretStr | None = Field(default=None, description="the bot's token, as @BotFather gave it")
    telegram_chat_ids: Ids = Field(default=(), description="chat ids separated by commas; ask the bot /id")
    telegram_admin_ids: Ids = Field(default=(), description="ids of people, separated by commas; ask the bot /id")
    telegram_api_url: HttpUrl | None = Field(default=None, description="the root of an own Bot API server")
    telegram_proxy: SecretStr | None = Field(default=None, description="a proxy's URL, such as socks5://host:1080")
    timezone: Zone = Field(default=ZoneInfo("UTC"), description="the time zone of the chats, such as Europe/Moscow")
    log_format: LogFormat = Field(default="text", description="text or json")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return every secret's value, so that it can be kept out of what is printed."""
        values = (getattr(self, name) for name, field in type(self).model_fields.items() if _is_secret(field))
        return tuple(value.get_secret_value() for value in values if value is not None)


def read(settings: type[S]) -> S:
    """Return the settings that the environment and `.env` hold.

    Raises:
        SettingsError: some cannot be used.
    """
    try:
        return settings()
    except ValidationError as error:
        mistakes = {str(mistake["loc"][0]): mistake["input"] for mistake in error.errors()}
        raise SettingsError("\n".join(_line(settings, name, value) for name, value in mistakes.items())) from error


def _line(settings: type[BaseSettings], name: str, value: object) -> str:
    field = settings.model_fields[name]
    shown = "has a value" if _is_secret(field) else f"is {value!r}"
    return f"{PREFIX}{name.upper()} {shown}; wanted: {field.description}"
