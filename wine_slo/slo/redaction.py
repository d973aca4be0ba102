"""Keep secrets out of whatever is shown: log, chat, ledger, pages, terminal, JSON.

Every secret is learnt once, where it is read; from then on `redact` hides it in every text, in each form in which a
library, a server or a page may repeat it. Names and passwords inside URLs are hidden whether they are known or not.
What is learnt is kept for the whole process: a secret that is not valid any more stays hidden.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from html import escape
from json import dumps
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

HIDDEN = "***"
SHORTEST_PATH = 8  # characters; a shorter one is a word, such as /ping
SHORTEST = 4  # characters; to hide a shorter text would make everything unreadable and protect nothing
CREDENTIALS = re.compile(r"(?<=://)[^\s/?#@:\"'<>]*(?::[^\s/?#\"'<>]*)?@")
# What a parameter of a URL is called that gives access to something.
ACCESS = r"[\w.-]*(?:token|secret|passw|pwd|auth|session|signature|api[_-]?key|access[_-]?key|\bkey|\bsig)[\w.-]*"
PARAMETER = re.compile(rf"(?<=[?&;])({ACCESS}=)[^\s&#;\"'<>]+", re.IGNORECASE)

_forms: dict[str, None] = {}  # the longest first, so that no form is left over from a longer one


def learn(secrets: Iterable[str]) -> None:
    """Hide these from now on."""
    fresh = [each for each in secrets if each not in _forms]
    if not fresh:
        return
    known = {*_forms, *(form for secret in fresh for form in _forms_of(secret) if len(form) >= SHORTEST)}
    found = dict.fromkeys(sorted(known, key=lambda form: (-len(form), form)))
    _forms.clear()
    _forms.update(found)


def forget() -> None:
    """Forget every secret, for whoever begins anew in the same process; a process that runs never does."""
    _forms.clear()


def redact(text: str) -> str:
    """Return the text without a secret."""
    for form in _forms:
        if form in text:
            text = text.replace(form, HIDDEN)
    if "://" in text:
        text = PARAMETER.sub(rf"\g<1>{HIDDEN}", CREDENTIALS.sub(f"{HIDDEN}@", text))
    return text


def redacted(value: Any) -> Any:
    """Return a value as JSON has it, without a secret in any text of it; keys stay as they are."""
    match value:
        case str():
            return redact(value)
        case dict():
            return {key: redacted(each) for key, each in value.items()}
        case list() | tuple():
            return [redacted(each) for each in value]
        case _:
            return value


def parts_of_url(url: str) -> tuple[str, ...]:
    """Return what is secret of a URL that is a secret: itself, its credentials, its path and its query."""
    parts = urlsplit(url)  # it is a URL: a setting has refused what is none
    path, query = parts.path.strip("/"), parts.query
    return (url, *(each for each in (path, query) if len(each) >= SHORTEST_PATH), *credentials_of(url))


def credentials_of(url: str) -> tuple[str, ...]:
    """Return what gives access in a URL, as it is written and as it is meant.

    That is its password, alone and with its name as basic authentication; a long name that has none, as it is a token
    then; and each parameter that is called like one.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return ()
    name, password = unquote(parts.username or ""), unquote(parts.password or "")
    found = [value for key, value in parse_qsl(parts.query) if re.fullmatch(ACCESS, key, re.IGNORECASE)]
    found += [part.partition("=")[2] for part in parts.query.split("&") if PARAMETER.match(f"&{part}", 1)]
    if password:
        found += [parts.password or "", password, f"{name}:{password}"]
    elif len(name) >= SHORTEST_PATH:
        found += [parts.username or "", name, f"{name}:"]
    return tuple(found)


def without_credentials(url: str) -> str:
    """Return a URL without the name, the password and the parameters that give access."""
    parts = urlsplit(CREDENTIALS.sub("", url))
    kept = [part for part in parts.query.split("&") if not PARAMETER.match(f"&{part}", 1)]
    return parts._replace(query="&".join(kept)).geturl()


def _forms_of(secret: str) -> Iterable[str]:
    encoded = b64encode(secret.encode(errors="surrogatepass")).decode()
    yield from (secret, secret.strip(), quote(secret, safe=""), quote(secret), quote_plus(secret), escape(secret))
    yield from (dumps(secret)[1:-1], dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])
    yield from (encoded, encoded.rstrip("="), quote(encoded, safe=""))
