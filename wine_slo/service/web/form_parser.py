"""The fields of a form that came as bytes: URL-encoded (WHATWG URL) or multipart/form-data (RFC 7578).

Everything is bounded before it is decoded, and only charsets are decoded whose decoders take linear time: Python's
punycode takes 25 s for 200 KB. The cost is linear in the size of the body.
"""

import binascii
import re
from urllib.parse import parse_qsl

CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "windows-1251": "cp1251",
    "windows-1252": "cp1252",
}
CHARSET_FIELD = "_charset_"  # in which a browser says how it encoded a form (HTML standard, 4.10.18.1)
MOST_FIELDS = 1000
LARGEST_URLENCODED = 2**16  # bytes; escapes take ten times as long to decode as all else, and others wait meanwhile
LARGEST_HEAD = 8190  # bytes of a part's headers; as of a request's header
LARGEST_HEADS = 2**17  # bytes of the headers of all parts, whose parameters take as long as escapes
PARAMETER = re.compile(r';\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))\s*', re.ASCII | re.DOTALL)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
PLAIN = ("", "7bit", "8bit", "binary")  # transfer encodings that leave a part as it is

Fields = list[tuple[str, str]]


class FormError(ValueError):
    """A form that cannot be read; the text says why."""


class UnsupportedFormError(FormError):
    """A form in a charset or an encoding that is not read here."""


class LargeFormError(FormError):
    """A form that is larger than what is read, or of more fields."""


def split_header(header: str) -> tuple[str, dict[str, str]]:
    """Return a header's value in small letters and its parameters; what cannot be read ends them."""
    value, _, _ = header.partition(";")
    parameters: dict[str, str] = {}
    place = len(value)
    while match := PARAMETER.match(header, place):
        name, quoted, bare = match.groups()
        parameters.setdefault(name.lower(), bare if quoted is None else ESCAPED.sub(r"\1", quoted))
        place = match.end()
    return value.strip().lower(), parameters


def codec(charset: str) -> str:
    """Return Python's name of a charset.

    Raises:
        UnsupportedFormError: it is not one of those that are read.
    """
    try:
        return CHARSETS[charset.strip().lower()]
    except KeyError:
        raise UnsupportedFormError(f"the charset is not one of {', '.join(CHARSETS)}") from None


def read_urlencoded(body: bytes, charset: str = "utf-8") -> Fields:
    """Return the fields of a URL-encoded form.

    Raises:
        FormError: it cannot be read.
    """
    encoding = codec(charset)
    if len(body) > LARGEST_URLENCODED:
        raise LargeFormError(f"the form is larger than {LARGEST_URLENCODED} bytes")
    if body.count(b"&") >= MOST_FIELDS:
        raise LargeFormError(f"the form has more than {MOST_FIELDS} fields")
    try:
        text = body.strip().decode(encoding)
    except UnicodeDecodeError as error:
        raise FormError(f"the form is not {encoding}") from error
    fields = parse_qsl(text, keep_blank_values=True, encoding=encoding)
    for name, value in fields:
        if name == CHARSET_FIELD:
            codec(value)  # the names and numbers of a wine read the same in all of them
    return [(name, value) for name, value in fields if name != CHARSET_FIELD]


def read_multipart(body: bytes, boundary: str, charset: str = "utf-8") -> Fields:
    """Return the fields of a multipart form; a file counts as the text that no number is.

    Raises:
        FormError: it cannot be read.
    """
    if not 0 < len(boundary) <= 70:  # RFC 2046, 5.1.1
        raise FormError("the form has no boundary of 1 to 70 letters")
    delimiter = b"\r\n--" + boundary.encode("utf-8", "surrogateescape")
    _, *parts = (b"\r\n" + body).split(delimiter, MOST_FIELDS + 2)
    fields: Fields = []
    heads = 0
    for part in parts:
        if part.startswith(b"--"):
            break
        if len(fields) == MOST_FIELDS:
            raise LargeFormError(f"the form has more than {MOST_FIELDS} fields")
        head, content = _split_part(part)
        heads += len(head)
        if heads > LARGEST_HEADS:
            raise LargeFormError(f"the headers of the form's parts are larger than {LARGEST_HEADS} bytes")
        name, value = _read_part(head, content, charset)
        if name == CHARSET_FIELD:
            codec(value)
            charset = value
        else:
            fields.append((name, value))
    else:
        raise FormError("the form ends before its last boundary")
    return fields


def _split_part(part: bytes) -> tuple[bytes, bytes]:
    """Return the headers and the content of one part, which begins with the end of its boundary's line."""
    padding, _, rest = part.partition(b"\r\n")
    if padding.strip(b" \t"):
        raise FormError("a boundary of the form has something behind it")
    head, blank, _ = (b"\r\n" + rest[: LARGEST_HEAD + 4]).partition(b"\r\n\r\n")
    if not blank:
        raise FormError("a part of the form has no headers, or very long ones")
    return head, rest[len(head) + len(blank) - 2 :]


def _read_part(head: bytes, content: bytes, charset: str) -> tuple[str, str]:
    """Return the name and the text of one part."""
    headers = _read_headers(head)
    disposition, parameters = split_header(headers.get("content-disposition", ""))
    if disposition != "form-data" or "name" not in parameters:
        raise FormError("a part of the form has no name")
    _, of_type = split_header(headers.get("content-type", ""))
    encoding = codec(of_type.get("charset", charset))
    if "filename" in parameters or "filename*" in parameters:
        return parameters["name"], "a file"
    try:
        text = _decode_transfer(content, headers.get("content-transfer-encoding", "")).decode(encoding)
    except UnicodeDecodeError as error:
        raise FormError(f"a part of the form is not {encoding}") from error
    return parameters["name"], text


def _read_headers(head: bytes) -> dict[str, str]:
    """Return the headers of a part by their names in small letters."""
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise FormError("a header of the form is none")
        try:
            headers[name.decode("ascii").lower()] = value.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise FormError("a header of the form is not utf-8") from error
    return headers


def _decode_transfer(content: bytes, encoding: str) -> bytes:
    """Return a part's content as it was before it was made fit for mail."""
    match encoding.strip().lower():
        case plain if plain in PLAIN:
            return content
        case "quoted-printable":
            return binascii.a2b_qp(content)
        case "base64":
            try:
                return binascii.a2b_base64(content)
            except binascii.Error as error:
                raise FormError("a part of the form is not base64") from error
        case _:
            raise UnsupportedFormError("a Content-Transfer-Encoding of the form is not read here")
