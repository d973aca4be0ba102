"""The settings of both processes, from the environment or `.env`; the only place that reads them.

An empty value counts as not set. All mistakes are told at once.
"""

from pathlib import Path
from typing import Literal, TypeVar, get_args

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

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


class ServerSettings(Settings):
    """The server's."""

    host: str = Field(default="127.0.0.1", description="an address of this machine, or 0.0.0.0 for all of them")
    port: int = Field(default=8000, ge=0, le=65535, description="a whole number from 0 (any free port) to 65535")
    model: Path = Field(default=Path("models/model.pkl"), description="the path of a model that `wine-slo train` wrote")
    sleep_enabled: bool = Field(default=True, description="true or false")
    log_format: Literal["text", "json"] = Field(default="text", description="text or json")


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
    is_secret = SecretStr in (field.annotation, *get_args(field.annotation))
    shown = "has a value" if is_secret else f"is {value!r}"
    return f"{PREFIX}{name.upper()} {shown}; wanted: {field.description}"
