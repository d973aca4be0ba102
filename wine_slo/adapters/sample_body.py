"""The body of `POST /predict`: one wine or many as JSON, one as a form, one as a row of thirteen numbers.

Bodies of the right form are read by msgspec straight into floats. Only what that refuses is read again, slowly, to say
what is wrong with each field.
"""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec
from aiohttp import web

from wine_slo.domain.wine import (
    NAMES,
    ROW,
    FieldError,
    Sample,
    SampleError,
    parse,
    parse_row,
    read_number,
    read_text,
)

JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
MOST_SAMPLES = 1000  # in one body
MOST_ERRORS = 100  # in one answer; more help nobody
LONGEST_NAME = 80  # letters of an unknown field's name that are given back

BAD_REQUEST, LATE, TOO_LARGE, UNSUPPORTED, UNPROCESSABLE = 400, 408, 413, 415, 422

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


class BodyError(Exception):
    """A body that is no wine; `status` is what to answer."""

    def __init__(self, status: int, detail: str, errors: Iterable[PlacedError] = ()) -> None:
        super().__init__(detail)
        self.headers = {"Accept-Post": ", ".join((JSON, *FORMS))} if status == UNSUPPORTED else {}
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


async def read(request: web.Request, within: float) -> list[Sample] | Sample:
    """Return the wines in the body, which may take `within` seconds to come in: a list for an array.

    Raises:
        BodyError: there are none in it.
        web.HTTPRequestEntityTooLarge: it is larger than the application allows.
    """
    # Nearly all say it plainly; to parse the header would cost as much as to read what it is about.
    if request.headers.get("Content-Type") == JSON or request.content_type == JSON:
        return read_json(arrived(request) or await read_bytes(request, within))
    if request.content_type in FORMS:
        return read_form(await read_fields(request, within))
    raise BodyError(UNSUPPORTED, f"send {JSON}, {' or '.join(FORMS)}")


def arrived(request: web.Request) -> bytes:
    """Return a small body that came with its headers, so that nobody need wait for it; else nothing."""
    content = request.content
    return content.read_nowait() if content.is_eof() and content.total_bytes <= request.client_max_size else b""


def read_json(body: bytes) -> list[Sample] | Sample:
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


def sample_of(wine: Any) -> Sample:
    """Return the sample that decoded measurements are.

    Raises:
        SampleError: a value is beyond the limit.
    """
    return Sample(msgspec.structs.astuple(wine))


class Members(list[tuple[str, Any]]):
    """The members of a JSON object, those given twice included."""


def explain_json(body: bytes) -> list[Sample] | Sample:
    """Return the wines in a JSON body, or say of each field what is wrong with it.

    Raises:
        BodyError: it is not JSON, or not wines.
    """
    try:
        decoded = json.loads(body, object_pairs_hook=Members, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise BodyError(BAD_REQUEST, f"the body is not JSON: {error}") from error
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
    samples: list[Sample] = []
    errors: list[PlacedError] = []
    for index, wine in enumerate(decoded):
        try:
            samples.append(parse(wine, read_number))
        except SampleError as error:
            errors += [PlacedError(each, index) for each in error.errors]
    if errors:
        raise BodyError(UNPROCESSABLE, summary(errors), errors)
    return samples


async def read_bytes(request: web.Request, within: float) -> bytes:
    """Return the whole body.

    Raises:
        BodyError: it did not come in time.
        web.HTTPRequestEntityTooLarge: it is larger than the application allows.
    """
    try:
        async with asyncio.timeout(within):
            return await request.read()
    except TimeoutError as error:
        raise BodyError(LATE, f"the body did not come within {within:g} s") from error


async def read_fields(request: web.Request, within: float) -> list[tuple[str, str]]:
    """Return a form's fields as they came; a file counts as the text that no number is.

    Raises:
        BodyError: the form cannot be read, or did not come in time.
        web.HTTPRequestEntityTooLarge: it is larger than the application allows.
    """
    try:
        async with asyncio.timeout(within):
            fields = await request.post()
    except TimeoutError as error:
        raise BodyError(LATE, f"the form did not come within {within:g} s") from error
    except (ValueError, LookupError, AssertionError) as error:  # what aiohttp raises for a broken form
        raise BodyError(BAD_REQUEST, "the form cannot be read") from error
    return [(name, value if isinstance(value, str) else "a file") for name, value in fields.items()]


def read_form(fields: list[tuple[str, str]]) -> Sample:
    """Return the wine in a form: thirteen fields, or the row in one.

    Raises:
        BodyError: fields are missing, unknown, given twice or no numbers.
    """
    try:
        match fields:
            case [(name, row)] if name == ROW:
                return parse_row(row)
            case _:
                return parse(fields, read_text)
    except SampleError as error:
        raise BodyError(UNPROCESSABLE, summary(error.errors), map(PlacedError, error.errors)) from error


def readable(name: str) -> str:
    """Return a field's name, clipped, without what UTF-8 cannot hold."""
    return name[:LONGEST_NAME].encode(errors="backslashreplace").decode()


def summary(errors: list[PlacedError] | tuple[FieldError, ...]) -> str:
    """Return how much is wrong, in a sentence."""
    shown = f"; the first {MOST_ERRORS} are told" if len(errors) > MOST_ERRORS else ""
    return f"{len(errors)} {'field is' if len(errors) == 1 else 'fields are'} wrong{shown}"
