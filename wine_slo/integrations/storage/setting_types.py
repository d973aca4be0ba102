"""What the settings of the ledger are: each kind of value refuses what it cannot be."""

import re
from typing import ClassVar, Self
from urllib.parse import unquote

from wine_slo.config.setting_types import PORT, Url
from wine_slo.slo import redaction

WANTED = (  # a password even of an example would be hidden
    "sqlite:///relative/path, sqlite:////absolute/path or postgresql+psycopg://host/database with USER:PASSWORD@ "
    "before the host, where an @ of the password is %40"
)


class DatabaseUrl(Url):
    """The URL of a ledger, as SQLAlchemy writes it: a file of SQLite, or a database of PostgreSQL."""

    __slots__ = ()
    pattern = re.compile(
        r"sqlite:///(?!:memory:|file:).+"  # what is in memory alone is no ledger
        rf"|postgresql\+psycopg://(?=.)([^:/@]*(:[^@]*)?@)?(\[[^]]*\]|[^:/?@]*)(:({PORT}))?([/?].*)?"
    )

    def __new__(cls, text: str) -> Self:
        """Return the URL.

        Raises:
            ValueError: it is none; what it holds of a password is hidden all the same.
        """
        if not cls.pattern.fullmatch(text):
            redaction.learn(secrets_of(text))
            raise ValueError("is no URL of a ledger")
        return str.__new__(cls, text)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show: its password, which may hold what no other URL has unescaped."""
        return secrets_of(self)


class KeptDays(int):
    """For how many days something is kept; 0 for ever."""

    SHORTEST: ClassVar = 90  # what people did is at hand for so long
    LONGEST: ClassVar = 36_500
    WANTED: ClassVar = f"a whole number of days from {SHORTEST} to {LONGEST}, or 0"

    def __new__(cls, text: str | int) -> Self:
        """Return the number.

        Raises:
            ValueError: It is none, too small or too large.
        """
        days = super().__new__(cls, text)
        if days != 0 and not cls.SHORTEST <= days <= cls.LONGEST:
            raise ValueError("is too short or too long")
        return days


def secrets_of(text: str) -> tuple[str, ...]:
    """Return what gives access in the URL of a database, right or wrong."""
    password = text.partition("://")[2].rpartition("@")[0].partition(":")[2]
    return (*((password, unquote(password)) if password else ()), *redaction.credentials_of(text))
