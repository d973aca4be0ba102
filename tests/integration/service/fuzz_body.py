"""Feeds bytes to the body reader, guided by which of our lines they reach; ends with 1 at the first fault.

The test beside it runs this as a process of its own: the fuzzer takes over the process and its exit.
"""

import sys
from time import process_time

import atheris

with atheris.instrument_imports(include=["wine_slo"]):
    from wine_slo.service.web import (
        form_parser,
        request_body,
    )

LONGEST = 1.0  # seconds of processor time, on a busy machine; others wait meanwhile
BOUNDARY = "x"
KINDS = 5


def read(kind: int, body: bytes) -> None:
    """Read the body as one of the kinds that there are."""
    match kind:
        case 0:
            request_body.read_json(body)
        case 1:
            request_body.read_form(form_parser.read_urlencoded(body))
        case 2:
            request_body.read_form(form_parser.read_multipart(body, BOUNDARY))
        case 3:
            part = b'--x\r\nContent-Disposition: form-data; name="request"\r\n' + body + b"\r\n--x--"
            request_body.read_form(form_parser.read_multipart(part, BOUNDARY))
        case _:
            value, parameters = form_parser.split_header(body.decode("utf-8", "surrogateescape"))
            form_parser.read_urlencoded(
                b"request=" + value.encode("utf-8", "surrogateescape"), parameters.get("charset", "")
            )


def feed(data: bytes) -> None:
    """Read the data; only an error that is answered with a 4xx may come out, and soon."""
    started = process_time()
    try:
        read(data[0] % KINDS if data else 0, data[1:])
    except (request_body.BodyError, form_parser.FormError) as error:
        if isinstance(error, request_body.BodyError):
            for entry in error.entries():
                entry["detail"].encode()  # it goes out as UTF-8
    seconds = process_time() - started
    if seconds > LONGEST:
        raise AssertionError(f"{len(data)} bytes took {seconds:.3f} s")


if __name__ == "__main__":
    atheris.Setup(sys.argv, feed)
    atheris.Fuzz()
