"""The body of `POST /predict`: one wine or many as JSON, one as a form, one as a row of thirteen numbers.

Bodies of the right form are read by msgspec straight into floats. Only what that refuses is read again, slowly, to say
what is wrong with each field.

`read_bytes` is the one place where a body comes in. Whatever goes wrong there is the client's doing, so it is a 4xx; a
client that has gone away gets no answer at all. The one 5xx is of ours: the bodies of all clients fill the room.
"""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
from aiohttp import web

from wine_slo.http.shares import Room
from wine_slo.service.limits import MOST_SAMPLES
from wine_slo.service.metrics.timer import TIMER
from wine_slo.service.model.features import (
    NAMES,
    ROW,
    FieldError,
    SampleError,
    WineSample,
    parse,
    parse_row,
    read_field,
    read_number,
)
from wine_slo.service.web.form_parser import (
    FormError,
    LargeFormError,
    UnsupportedFormError,
    codec,
    read_multipart,
    read_urlencoded,
    split_header,
)

JSON = "application/json"
URLENCODED, MULTIPART = FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
MOST_ERRORS = 100  # in one answer; more help nobody
LONGEST_NAME = 80  # letters of an unknown field's name that are given back

MOST_MARKS = 40_000  # colons and commas of a JSON body; 1,000 wines have 26,000, and more would hold the event loop
BAD_REQUEST, LATE, TOO_LARGE, UNSUPPORTED, UNPROCESSABLE, FULL = 400, 408, 413, 415, 422, 503

Measurements: Any = msgspec.defstruct(
    "Measurements",
    [(f"m{number}", float, msgspec.field(name=name)) for number, name in enumerate(NAMES)],
    forbid_unknown_fields=True,
    gc=False,
)
DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Measurements | list[Measurements])


@dataclass(frozen=True, slots=True)
class PlacedError:
    """A field's error, and which wine of an array it is in (None where there is only one)."""

    error: FieldError
    index: int | None = None


HEADERS = {
    UNSUPPORTED: {"Accept-Post": ", ".join((JSON, *FORMS)), "Accept-Encoding": "identity"},
    FULL: {"Retry-After": "1"},
}


class BodyError(Exception):
    """A body that is no wine; `status` is what to answer."""

    def __init__(self, status: int, detail: str, errors: Iterable[PlacedError] = ()) -> None:
        super().__init__(detail)
        self.headers = HEADERS.get(status, {})
        self.status = status
        self.detail = detail
        self.errors = tuple(islice(errors, MOST_ERRORS))

    def entries(self) -> list[dict[str, Any]]:
        """Return the errors as a problem document has them; each points at its place in the body (RFC 6901)."""
        return [
            {
                "field": (name := readable(error.field)),
                "code": error.mistake,
                "detail": f"{name} {error.detail}",
                "pointer": f"#{'' if index is None else f'/{index}'}/{name.replace('~', '~0').replace('/', '~1')}",
            }
            for error, index in ((placed.error, placed.index) for placed in self.errors)
        ]


async def read(request: web.Request, within: float, room: Room) -> list[WineSample] | WineSample:
    """Return the wines in the body: a list for an array.

    Args:
        request: whose body it is.
        within: seconds that it may take to come in.
        room: for all bodies that are in memory at once.

    Raises:
        BodyError: there are none in it.
        OSError: the client has gone away.
    """
    # Nearly all say it plainly; to parse the header would cost as much as to read what it is about.
    if request.headers.get("Content-Type") == JSON:
        return read_json(await read_bytes(request, within, room))
    kind, parameters = split_header(request.headers.get("Content-Type", ""))
    if kind == JSON:
        check_charset(parameters)
        return read_json(await read_bytes(request, within, room))
    if kind in FORMS:
        return read_form(await read_fields(request, within, room))
    raise BodyError(UNSUPPORTED, f"send {JSON}, {' or '.join(FORMS)}")


def read_json(body: bytes) -> list[WineSample] | WineSample:
    """Return the wines in a JSON body.

    Raises:
        BodyError: it is not JSON, or not wines.
    """
    try:
        decoded = DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return explain_json(body)
    wines = len(decoded) if isinstance(decoded, list) else 1
    # All values are numbers and all names known, so every colon parts a name from its value:
    # more of them than names means that a name was given twice, which the decoder lets pass.
    if body.count(b":") > len(NAMES) * wines or not 0 < wines <= MOST_SAMPLES:
        return explain_json(body)
    try:
        return [*map(sample_of, decoded)] if isinstance(decoded, list) else sample_of(decoded)
    except SampleError:
        return explain_json(body)


def sample_of(wine: Any) -> WineSample:
    """Return the sample that decoded measurements are.

    Raises:
        SampleError: a value is beyond the limit.
    """
    return WineSample(msgspec.structs.astuple(wine))


class Members(list[tuple[str, Any]]):
    """The members of a JSON object, those given twice included."""


def explain_json(body: bytes) -> list[WineSample] | WineSample:
    """Return the wines in a JSON body, or report what is wrong with each field.

    Raises:
        BodyError: it is not JSON, or not wines.
    """
    decoded = decode_json(body)
    if isinstance(decoded, Members):
        try:
            return parse(decoded, read_number)
        except SampleError as error:
            raise BodyError(UNPROCESSABLE, summary(error.errors), map(PlacedError, error.errors)) from error
    if not isinstance(decoded, list) or not all(isinstance(wine, Members) for wine in decoded):
        raise BodyError(UNPROCESSABLE, "the body is neither an object with the 13 measurements nor an array of such")
    if not decoded:
        raise BodyError(UNPROCESSABLE, "the array is empty")
    if len(decoded) > MOST_SAMPLES:
        raise BodyError(TOO_LARGE, f"the array holds {len(decoded)} wines; send at most {MOST_SAMPLES} at once")
    samples: list[WineSample] = []
    errors: list[PlacedError] = []
    for index, wine in enumerate(decoded):
        try:
            samples.append(parse(wine, read_number))
        except SampleError as error:
            errors += [PlacedError(each, index) for each in error.errors]
    if errors:
        raise BodyError(UNPROCESSABLE, summary(errors), errors)
    return samples


def decode_json(body: bytes) -> Any:
    """Return what a JSON body holds, with every member of each object.

    Raises:
        BodyError: it is not JSON, or so much of it that others would wait.
    """
    if body.count(b":") + body.count(b",") > MOST_MARKS:
        raise BodyError(TOO_LARGE, f"the body holds more values than {MOST_SAMPLES} wines have")
    try:
        return json.loads(body, object_pairs_hook=Members, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise BodyError(BAD_REQUEST, f"the body is not JSON: {error}") from error


async def read_bytes(request: web.Request, within: float, room: Room) -> bytes:
    """Return the whole body.

    Raises:
        BodyError: it is compressed, larger than the application allows, did not come in time, or cannot be read.
        OSError: the client has gone away.
    """
    if "Content-Encoding" in request.headers:
        check_coding(request.headers.getall("Content-Encoding"))
    content = request.content
    if content.is_eof() and content.exception() is None and content.total_bytes <= request.client_max_size:
        return content.read_nowait()  # it came with its headers, so that nobody need wait for it
    try:
        with request[TIMER].waiting_for_client():
            async with asyncio.timeout(within):
                return await collect(request, room)
    except TimeoutError as error:
        raise BodyError(LATE, f"the body did not come within {within:g} s") from error
    except (BodyError, OSError):
        raise
    except Exception as error:  # whatever else aiohttp raises here, it is about what the client has sent
        raise BodyError(BAD_REQUEST, "the body cannot be read") from error


async def collect(request: web.Request, room: Room) -> bytes:
    """Return the body, piece by piece, as long as there is room for it among those of others.

    Raises:
        BodyError: it is too large, or there is no room.
    """
    pieces: list[bytes] = []
    held = 0
    try:
        while piece := await request.content.readany():
            if held + len(piece) > request.client_max_size:
                raise BodyError(TOO_LARGE, f"the body is larger than {request.client_max_size} bytes")
            if not room.take(len(piece), held):
                raise BodyError(FULL, "too many bodies are being read; try again in a second")
            held += len(piece)
            pieces.append(piece)
        return b"".join(pieces)
    finally:
        room.give(held)


def check_coding(codings: Iterable[str]) -> None:
    """Accept what the Content-Encoding headers say.

    Raises:
        BodyError: the body is packed; a small one could unpack to anything.
    """
    if not {each.strip().lower() for each in ",".join(codings).split(",")} <= {"", "identity"}:
        raise BodyError(UNSUPPORTED, "send the body as it is; no Content-Encoding is read here")


def check_charset(parameters: dict[str, str]) -> None:
    """Accept the charset that a content type says.

    Raises:
        BodyError: it is none that is read here.
    """
    try:
        codec(parameters.get("charset", "utf-8"))
    except UnsupportedFormError as error:
        raise BodyError(UNSUPPORTED, str(error)) from error


async def read_fields(request: web.Request, within: float, room: Room) -> list[tuple[str, str]]:
    """Return a form's fields as they came; a file counts as the text that no number is.

    Raises:
        BodyError: the form cannot be read, or did not come in time.
        OSError: the client has gone away.
    """
    kind, parameters = split_header(request.headers.get("Content-Type", ""))
    check_charset(parameters)
    body = await read_bytes(request, within, room)
    charset = parameters.get("charset", "utf-8")
    try:
        if kind == MULTIPART:
            return read_multipart(body, parameters.get("boundary", ""), charset)
        return read_urlencoded(body, charset)
    except UnsupportedFormError as error:
        raise BodyError(UNSUPPORTED, str(error)) from error
    except LargeFormError as error:
        raise BodyError(TOO_LARGE, str(error)) from error
    except FormError as error:
        raise BodyError(BAD_REQUEST, str(error)) from error


def read_form(fields: list[tuple[str, str]]) -> WineSample:
    """Return the wine in a form: thirteen fields, or the row in one.

    Raises:
        BodyError: fields are missing, unknown, given twice or no numbers.
    """
    try:
        match fields:
            case [(name, row)] if name == ROW:
                return parse_row(row)
            case _:
                return parse(fields, read_field)
    except SampleError as error:
        raise BodyError(UNPROCESSABLE, summary(error.errors), map(PlacedError, error.errors)) from error


def readable(name: str) -> str:
    """Return a field's name, clipped, without what UTF-8 cannot hold."""
    return name[:LONGEST_NAME].encode(errors="backslashreplace").decode()


def summary(errors: list[PlacedError] | tuple[FieldError, ...]) -> str:
    """Return how much is wrong, in a sentence."""
    shown = f"; the first {MOST_ERRORS} are listed" if len(errors) > MOST_ERRORS else ""
    return f"{len(errors)} {'field is' if len(errors) == 1 else 'fields are'} wrong{shown}"
