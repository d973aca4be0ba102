"""What the values of settings are: each kind of value refuses what it cannot be, so that what exists can be used."""

import re
from datetime import UTC
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

from wine_slo.config.files import text_file
from wine_slo.slo import redaction
from wine_slo.slo.oncall.time_phrases import QuietHours
from wine_slo.slo.text.language import LANGUAGES

LARGEST_ID = 2**52  # Telegram's ids have at most 52 significant bits: https://core.telegram.org/bots/api#chat
# A page that a button of Telegram can open: it takes only hosts that have a dot, and no password is shown in a chat.
PORT = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}"
PAGE = rf"^https?://([A-Za-z0-9_-]+\.)+[A-Za-z0-9-]+(:({PORT}))?([/?#][^\s\\]*)?$"
ADDRESS = re.compile(r"(-?[0-9]{1,16})(?:/([0-9]{1,9}))?")
PERSON = re.compile(r"[0-9]{1,16}")


class Url(str):
    """An http or https URL."""

    __slots__ = ()
    has_credentials = True

    def __new__(cls, text: str) -> Self:
        """Return the URL.

        Raises:
            ValueError: it is none.
        """
        parts = _parts(text, {"http", "https"})
        if "@" in parts.netloc and not cls.has_credentials:
            raise ValueError("holds a name or a password")
        return super().__new__(cls, text)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show: what gives access in it."""
        return redaction.credentials_of(self)


class RootUrl(Url):
    """The root of an API: the path of each request follows it, so it has neither a query nor a fragment."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return the URL.

        Raises:
            ValueError: it is none, or no root.
        """
        if "?" in text or "#" in text:
            raise ValueError("is no root")
        return super().__new__(cls, text)


class PageUrl(Url):
    """The address of a page whose sections are linked, so it has no fragment of its own."""

    __slots__ = ()
    has_credentials = False

    def __new__(cls, text: str) -> Self:
        """Return the URL.

        Raises:
            ValueError: it is none that can be linked.
        """
        if "#" in text or not re.fullmatch(PAGE, text):
            raise ValueError("is no page")
        return super().__new__(cls, text)


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


class UrlWithoutPassword(RootUrl):
    """A URL of what has settings of its own for a name and a password."""

    __slots__ = ()
    has_credentials = False


class ReplicaUrls(str):
    """The URL of a server, or those of several servers that know the same, separated by commas."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return the URLs.

        Raises:
            ValueError: one of them is none, or the same as another one.
        """
        urls = [UrlWithoutPassword(each.strip(" ")) for each in text.split(",")]
        found = super().__new__(cls, ",".join(urls))
        if len(urls) > min(len(found.by_name), len({_server_of(each) for each in urls})):
            raise ValueError("names a server twice")
        return found

    @property
    def by_name(self) -> dict[str, UrlWithoutPassword]:
        """Return each URL by what people call its server: `host:9090`, with a path where there is one."""
        return {each.partition("://")[2].rstrip("/"): UrlWithoutPassword(each) for each in self.split(",")}


class Header(str):
    """What is sent in the head of a request: characters on one line, without a blank at either end."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return it.

        Raises:
            ValueError: it cannot be sent.
        """
        if not text.isprintable() or text != text.strip():
            raise ValueError("cannot be sent in a header")
        return super().__new__(cls, text)


class UserName(Header):
    """A name for basic authentication; a colon would begin the password."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return it.

        Raises:
            ValueError: it cannot be sent.
        """
        if ":" in text:
            raise ValueError("holds a colon")
        return super().__new__(cls, text)


class Host(str):
    """An address, or the name of one."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return it.

        Raises:
            ValueError: nothing can have that name.
        """
        _check_host(text)
        return super().__new__(cls, text)


class Token(Secret):
    """A token that is sent in a header: visible ASCII.

    Raises:
        ValueError: it is none.
    """

    pattern = re.compile(r"[!-~]+")

    def __init__(self, value: str, file: Path | None = None) -> None:
        if not self.pattern.fullmatch(value):
            raise ValueError("is no token")
        super().__init__(value, file)


class BotToken(Token):
    """A token that is a part of a URL."""

    pattern = re.compile(r"[A-Za-z0-9_:-]+")

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show: the token, and what of it is secret by itself."""
        secret = self.value.partition(":")[2]
        return (self.value, secret) if secret else (self.value,)


class ProxyUrl(Secret):
    """A proxy's URL; it may hold a name and a password.

    Raises:
        ValueError: it is no URL of a proxy.
    """

    def __init__(self, value: str, file: Path | None = None) -> None:
        parts = _parts(value, {"http", "https", "socks5", "socks5h"})
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise ValueError("is no proxy")
        super().__init__(value, file)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show: the URL, and the password by itself."""
        return (self.value, *redaction.credentials_of(self.value))


class Rotating:
    """A secret that is rotated while the process runs: called, it returns the value that its file holds now."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def __call__(self) -> str:
        """Return the value; blocks on the disk, shortly."""
        self._secret = self._secret.reread()
        return self._secret.value


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
        found = ADDRESS.fullmatch(str(text))
        if found is None or not 0 < abs(int(found[1])) <= LARGEST_ID:
            raise ValueError("is no chat")
        address = super().__new__(cls, found[1])
        address.topic = int(found[2]) if found[2] else None
        return address


class PersonId(int):
    """A person's id."""

    def __new__(cls, text: str) -> Self:
        """Return it.

        Raises:
            ValueError: it is none.
        """
        if not PERSON.fullmatch(str(text)) or not 0 < int(text) <= LARGEST_ID:
            raise ValueError("is no person")
        return super().__new__(cls, text)


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


class LanguageCode(str):
    """The code of a language that there is."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Return the code.

        Raises:
            ValueError: there is no such language.
        """
        if all(each.code != text for each in LANGUAGES):
            raise ValueError("is no language that there is")
        return super().__new__(cls, text)

    @staticmethod
    def known() -> str:
        """Return the codes that there are: `en or ru`."""
        return " or ".join(each.code for each in LANGUAGES)


def _parts(text: str, schemes: set[str]) -> SplitResult:
    """Return the parts of a URL.

    Raises:
        ValueError: it is none, or has another scheme.
    """
    parts = urlsplit(text)
    if not text.isprintable() or re.search(r"[\s\\]", text) or parts.scheme not in schemes or parts.port == 0:
        raise ValueError("is no URL")
    _check_host(parts.hostname or "")
    return parts


def _server_of(url: str) -> tuple[str, int | None, str]:
    """Return what requests to a URL reach, however it is written."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return (parts.hostname or "").removesuffix("."), port, parts.path.rstrip("/")


def _check_host(name: str) -> None:
    """See whether a host can have that name.

    Raises:
        ValueError: none can.
    """
    if ":" in name:
        ip_address(name.partition("%")[0])
        return
    if not re.fullmatch(r"[\w.-]+", name):
        raise ValueError("is no host")
    name.removesuffix(".").encode("idna")  # UnicodeError is a ValueError: an empty label, or a long one
