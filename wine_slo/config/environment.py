"""Read settings from the environment or `.env`; nothing else reads them.

A setting is a field: its name, type and default, and, by `means`, what it is for and what is wanted of it; the page
docs/reference/settings.md and .env.example are written from these. The variable is the field's name in capitals behind
WINE_SLO_. An empty value counts as not set. Where a default is a file in a folder that is not here, the one that
comes with the package is used. Each secret can also stand in a file that `NAME_FILE` names. All mistakes are reported
at once. In `.env` nothing is expanded: a value is what it says.
"""

import os
import re
from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from zoneinfo import ZoneInfoNotFoundError

import msgspec
from dotenv.parser import parse_stream
from msgspec import Meta

from wine_slo.config.files import shipped, text_file
from wine_slo.config.setting_types import Host, Secret, Url
from wine_slo.slo import redaction

PREFIX = "WINE_SLO_"
FILE = Path(".env")
S = TypeVar("S", bound="Settings")
WHERE = f"{PREFIX}ENV_FILE"
# Other variables that Kubernetes and Docker set for services of such names.
OF_A_LINK = re.compile(r".*_SERVICE_(HOST|PORT(_\w+)?)|.*_PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?")
LINK = re.compile(r"(tcp|udp|sctp)://.*")  # what Kubernetes and Docker set for a service of the name wine-slo


class SettingsError(Exception):
    """Settings that cannot be used; the text has one line for each mistake."""


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


LONGEST_NAME = 100  # letters of a variable's name in a sentence
LONGEST_SHOWN = 200  # letters of a wrong value in a sentence
Port = Annotated[int, Meta(ge=0, le=65535)]


def means(about: str, wanted: str, **limits: Any) -> Meta:
    """Return what a setting is for, in sentences; what is wanted of it; and the limits of its type."""
    return Meta(description=about, extra={"wanted": wanted}, **limits)


# Of both processes
LogFormat = Annotated[Literal["text", "json"], means("How a line of the log is written.", "text or json")]
AllowedHosts = Annotated[
    tuple[Host, ...],
    means(
        "The names in `Host` by which browsers and proxies call it, beside those of loopback. If not set, a process "
        "that listens on loopback answers to no other name, and one that listens on more answers to every name.",
        "names separated by commas, such as wine.example.org",
    ),
]


class ComposeSettings(Settings, frozen=True, kw_only=True):
    """What docker-compose.yml alone reads."""

    prometheus_port: Annotated[
        Port, means("The port of this machine at which Prometheus answers.", "a whole number to 65535")
    ] = 9090
    grafana_port: Annotated[
        Port, means("The port of this machine at which Grafana answers.", "a whole number to 65535")
    ] = 3000


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as it is read and as documentation lists it."""

    field: str
    variable: str
    type: Any
    default: str  # as one would write it; "" where there is none
    about: str
    wanted: str
    is_list: bool
    is_secret: bool

    @property
    def variables(self) -> tuple[str, ...]:
        """Return the variable, and that of a file with its value where it is a secret."""
        return (self.variable, f"{self.variable}_FILE") if self.is_secret else (self.variable,)

    def read(self, variables: dict[str, str]) -> Any:
        """Return its value; None where it is not set.

        Raises:
            SettingsError: the value is not what is wanted, or the file that holds it cannot be read.
        """
        text, file = variables.get(self.variable), None
        if not text and self.is_secret and (name := variables.get(f"{self.variable}_FILE")):
            file = Path(name)
            text = self._read_file(file)
        if not text or text.isspace():
            return None
        value = [each.strip() for each in text.split(",") if each.strip()] if self.is_list else text
        try:
            read = msgspec.convert(value or text, self.type, strict=False, dec_hook=lambda kind, part: kind(part))
        except (msgspec.ValidationError, ZoneInfoNotFoundError, OSError) as error:  # OSError: a folder of time zones
            is_hidden = self.is_secret or ("@" in text and "://" not in text)  # perhaps a password without a scheme
            shown = "has a value" if is_hidden else f"is {_clipped(text)!r}"
            if file is not None:
                shown = f"is in the file {str(file)!r}, which holds something else"
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
            if value is None:
                value = shipped.in_place_of(setting.default)
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


def unknown(*settings: type[Settings]) -> list[str]:
    """Return a sentence for each variable that is called like a setting and is none of these.

    Raises:
        SettingsError: `.env` cannot be read.
    """
    kinds: tuple[type[Settings], ...] = (ComposeSettings, *settings)
    known = {WHERE, *(name for kind in kinds for setting in listed(kind) for name in setting.variables)}
    in_file = {name.upper() for name, value in _read_file(file()).items() if value}
    names = [name for name in sorted(_variables()) if name.startswith(PREFIX) and name not in known]
    return [
        _unknown(name, str(file()) if name in in_file else "the environment", known)
        for name in names
        if name in in_file or not OF_A_LINK.fullmatch(name)
    ]


def _unknown(name: str, where: str, known: set[str]) -> str:
    meant = get_close_matches(name, known, n=1, cutoff=0.8)
    advice = f"is {meant[0]} meant?" if meant else "docs/reference/settings.md lists all of them"
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:LONGEST_NAME])
    return f"{shown} of {where} is no setting; {advice}"


def read_file(path: Path) -> None:
    """Read this file instead of `.env` from now on, whatever WINE_SLO_ENV_FILE says."""
    _chosen[:] = [path]


_chosen: list[Path] = []


def file() -> Path:
    """Return the file that is read beside the environment."""
    named = os.environ.get(WHERE)
    return _chosen[0] if _chosen else Path(named) if named else FILE


def foreign() -> dict[str, str]:
    """Return the environment without our settings, for a program of somebody else: many of them are secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _variables() -> dict[str, str]:
    """Return what is set, by its name in capitals; the environment wins over the file."""
    found = {name.upper(): value for name, value in _read_file(file()).items() if value}
    for name, value in os.environ.items():
        is_link = name.upper().endswith("_PORT") and LINK.fullmatch(value)
        if value and not is_link:
            found[name.upper()] = value
    return found


def _read_file(path: Path) -> dict[str, str | None]:
    """Return what a file of variables holds; nothing where there is none, and none was requested by its name.

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


def _setting(field: msgspec.structs.FieldInfo) -> Setting:
    kind, *_, about = get_args(field.type)
    kinds = (kind, *get_args(kind))
    return Setting(
        field.name,
        field.encode_name,
        field.type,
        _written(field.default),
        about.description,
        about.extra["wanted"],
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
