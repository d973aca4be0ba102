"""Forms as bytes: what is read, and what is refused with which kind of error."""

import base64
from collections.abc import Callable
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wine_slo.service.web.form_parser import (
    FormError,
    LargeFormError,
    UnsupportedFormError,
    read_multipart,
    read_urlencoded,
    split_header,
)

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"  # as long as a browser's


def multipart(*parts: tuple[str, bytes], boundary: str = BOUNDARY) -> bytes:
    """Return a form of parts, each its headers and its content."""
    lines = [f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts]
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def field(name: str, more: str = "") -> str:
    return f'Content-Disposition: form-data; name="{name}"{more}'


MANY_PARAMETERS = [(field("a") + '; a=";' * 1300, b"1")] * 100  # 800 KB that took 160 ms to read


def test_a_browsers_multipart_form_is_read_with_its_charset_field() -> None:
    body = multipart((field("_charset_"), b"windows-1251"), (field("a"), "да".encode("cp1251")))
    assert read_multipart(body, BOUNDARY) == [("a", "да")]


@pytest.mark.parametrize(
    ("head", "content", "value"),
    [
        pytest.param(field("a"), b"1", "1", id="nothing but a name"),
        pytest.param(field("a"), b"1\r\n--other\r\n", "1\r\n--other\r\n", id="another boundary in the content"),
        pytest.param(field("a") + "\r\nContent-Type: text/plain; charset=UTF-8", b"\xc3\xa9", "é", id="utf-8"),
        pytest.param(field("a") + '\r\nContent-Type: text/plain; charset="latin-1"'.replace("latin-1", "iso-8859-1"),
                     b"\xe9", "é", id="latin-1"),
        pytest.param(field("a") + "\r\nContent-Transfer-Encoding: 8bit", b"1", "1", id="8bit"),
        pytest.param(field("a") + "\r\nContent-Transfer-Encoding: base64", base64.b64encode(b"13.2"), "13.2", id="64"),
        pytest.param(field("a") + "\r\nContent-Transfer-Encoding: Quoted-Printable", b"=31", "1", id="qp"),
        pytest.param(field("a", '; filename="w.csv"'), b"\xff", "a file", id="a file"),
        pytest.param("content-disposition:form-data;name=a", b"1", "1", id="without quotes and blanks"),
        pytest.param('Content-Disposition: form-data; filename="; name=x"; name="a"', b"1", "a file", id="sly"),
    ],
)  # fmt: skip
def test_a_part_is_read(head: str, content: bytes, value: str) -> None:
    assert read_multipart(multipart((head, content)), BOUNDARY) == [("a", value)]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"", FormError, id="nothing"),
        pytest.param(multipart((field("a"), b"1"))[:-6], FormError, id="no last boundary"),
        pytest.param(multipart(("X: y", b"1")), FormError, id="no name"),
        pytest.param(multipart(("no colon", b"1")), FormError, id="a header without a colon"),
        pytest.param(multipart((field("a") + "\r\nX : y", b"1")), FormError, id="a blank before the colon"),
        pytest.param(multipart((field("a") + "\r\nX: " + "y" * 20_000, b"1")), FormError, id="a long header"),
        pytest.param(multipart((field("a") + "\r\nX: y" * 3000, b"1")), FormError, id="3,000 headers"),
        pytest.param(b"--x\r\nX: \xff\r\n\r\n1\r\n--x--",
                     FormError, id="a header that is not utf-8"),
        pytest.param(multipart((field("a"), b"\xff")), FormError, id="a value that is not utf-8"),
        pytest.param(multipart((field("a") + "\r\nContent-Transfer-Encoding: base64", b"A")), FormError, id="no 64"),
        pytest.param(multipart((field("a") + "\r\nContent-Transfer-Encoding: x-zip", b"1")), UnsupportedFormError,
                     id="an unknown transfer encoding"),
        pytest.param(multipart((field("a") + "\r\nContent-Type: text/plain; charset=punycode", b"1")),
                     UnsupportedFormError, id="punycode in a part"),
        pytest.param(multipart((field("_charset_"), b"punycode"), (field("a"), b"1")), UnsupportedFormError,
                     id="punycode in the field _charset_"),
        pytest.param(multipart((field("_charset_"), b"u" * 5000), (field("a"), b"1")), UnsupportedFormError,
                     id="a very long charset"),
        pytest.param(multipart(*[(field("a"), b"1")] * 1001), LargeFormError, id="1,001 fields"),
        pytest.param(multipart(*MANY_PARAMETERS), LargeFormError, id="a hundred parts of 1,300 parameters"),
        pytest.param(f"--{BOUNDARY}junk\r\n{field('a')}\r\n\r\n1\r\n--{BOUNDARY}--".encode(), FormError,
                     id="something behind a boundary"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_read_is_refused_with_a_reason(body: bytes, kind: type[FormError]) -> None:
    with pytest.raises(kind) as caught:
        read_multipart(body, "x" if body.startswith(b"--x\r\n") else BOUNDARY)
    assert type(caught.value) is kind


@pytest.mark.parametrize("body", [b"a" * (2**16 + 1), b"&" * 1000])
def test_a_larger_urlencoded_form_than_is_read_is_refused(body: bytes) -> None:
    with pytest.raises(LargeFormError):
        read_urlencoded(body)


@pytest.mark.parametrize("boundary", ["", "x" * 71])
def test_a_boundary_that_is_none_is_refused(boundary: str) -> None:
    with pytest.raises(FormError, match="no boundary"):
        read_multipart(b"--\r\n", boundary)


@given(st.binary(max_size=200), st.sampled_from(["x", BOUNDARY, "\udcff"]))
def test_no_bytes_are_anything_but_fields_or_a_form_error(body: bytes, boundary: str) -> None:
    for content in (body, multipart((field("a"), body), boundary="x"), b"--x\r\n" + body + b"\r\n--x--"):
        with suppress(FormError):
            read_multipart(content, boundary)
        with suppress(FormError):
            read_urlencoded(content)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda: read_urlencoded(b"a=" + b"%41" * 21_000), id="as many escapes as there may be"),
        pytest.param(lambda: read_urlencoded(b"a=" + "é".encode() * 32_000), id="as many letters"),
        pytest.param(lambda: read_urlencoded(b"%" * 2**16), id="as many escapes that are none"),
        pytest.param(lambda: read_multipart(multipart(*MANY_PARAMETERS[:16]), BOUNDARY), id="as many parameters"),
        pytest.param(lambda: read_urlencoded(b"a" * 2**16), id="one name"),
        pytest.param(lambda: read_multipart(multipart((field("a"), b"\r\n--" * 2**18)), BOUNDARY), id="boundaries"),
        pytest.param(lambda: split_header("a" + '; a="\\' * 100_000), id="quotes that do not end"),
        pytest.param(lambda: split_header("a" + "; " * 100_000), id="blanks"),
    ],
)  # fmt: skip
def test_a_large_form_is_read_in_linear_time(read: Callable[[], object]) -> None:
    started = process_time()
    read()
    assert process_time() - started < 1, "what is quadratic here takes many seconds"
