"""Hiding secrets: in each form in which somebody may repeat them."""

from base64 import b64encode
from html import escape
from json import dumps
from urllib.parse import quote, quote_plus

import pytest

from wine_slo.slo import redaction

SECRET = 'pa"ss <wörd>/#+\\7'


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SECRET, id="as it is"),
        pytest.param(quote(SECRET, safe=""), id="percent-encoded"),
        pytest.param(quote_plus(SECRET), id="as in a form"),
        pytest.param(escape(SECRET), id="as in HTML"),
        pytest.param(dumps(SECRET), id="as in JSON"),
        pytest.param(repr(SECRET), id="as Python writes it"),
        pytest.param(b64encode(SECRET.encode()).decode(), id="base64"),
        pytest.param(f"http://bob:{quote(SECRET, safe='')}@host/", id="in a URL"),
    ],
)
def test_every_form_of_a_secret_is_hidden(form: str) -> None:
    redaction.learn([SECRET])
    shown = redaction.redact(f"invalid token {form}, sorry")
    assert "w" not in shown.replace("sorry", "")
    assert shown.startswith("invalid token ")
    assert shown.endswith(", sorry")


def test_a_url_shows_neither_name_nor_password_whether_they_are_known_or_not() -> None:
    assert (
        redaction.redact("at http://bob:hunter2@host:9090/x?y=a@b: refused")
        == "at http://***@host:9090/x?y=a@b: refused"
    )
    assert redaction.redact("socks5://bob:p@ss@[::1]:1080") == "socks5://***@[::1]:1080"
    assert redaction.redact("http://token@host") == "http://***@host"


@pytest.mark.parametrize(
    "name",
    ["token", "access_token", "X-Api-Key", "apikey", "client_secret", "password", "passwd", "sig", "auth", "pwd"],
)
def test_a_url_shows_no_parameter_that_gives_access(name: str) -> None:
    text = f"GET https://host/x?a=1&{name}=hunt%2Fer2&b=2#f: refused; {name}=5"
    assert redaction.redact(text) == f"GET https://host/x?a=1&{name}=***&b=2#f: refused; {name}=5"
    assert redaction.without_credentials(f"https://u:p@host/x?{name}=2&b=2") == "https://host/x?b=2"


def test_what_is_no_credential_stays() -> None:
    for text in ("http://host/@bob", "mail bob@host", "http://host:80/a:b@c", "see http://a/ and b@c"):
        assert redaction.redact(text) == text


def test_a_secret_within_a_longer_one_leaves_nothing_of_the_longer_one() -> None:
    redaction.learn(["hunter2"])
    redaction.learn(["hunter2-of-the-proxy"])
    assert redaction.redact("hunter2-of-the-proxy hunter2") == "*** ***"


def test_what_is_forgotten_is_shown_again() -> None:
    redaction.learn(["hunter2"])
    redaction.forget()
    assert redaction.redact("hunter2") == "hunter2"


def test_what_is_too_short_to_be_hidden_leaves_texts_readable() -> None:
    redaction.learn(["", "a", "1"])
    assert redaction.redact("a 1 b") == "a 1 b"


def test_in_json_only_texts_are_redacted() -> None:
    redaction.learn(["value", "1234"])
    assert redaction.redacted({"value": ["a value", 1234, None, {"x": ("1234",)}]}) == {
        "value": ["a ***", 1234, None, {"x": ["***"]}]
    }


def test_a_secret_url_is_hidden_in_parts_too() -> None:
    redaction.learn(redaction.parts_of_url("https://bob:hunter2@hc.example/ping/abcd-1234?key=55555"))
    for part in ("hunter2", "ping/abcd-1234", "key=55555", b64encode(b"bob:hunter2").decode()):
        assert redaction.redact(f"-{part}-") == "-***-"
