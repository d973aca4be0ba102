"""What is wrong with a request, as RFC 9457 has it."""

from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

TITLES = {status.value: status.phrase for status in HTTPStatus}


NAME = "wine-slo"  # in the header Server, instead of the versions of Python and aiohttp


HEADERS = {
    "Content-Type": "application/problem+json",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": NAME,
}


class Problem(Exception):  # noqa: N818  # RFC 9457's word
    """An error that is reported to the client."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = {"title": TITLES.get(status, "Server Error"), "status": status, "detail": detail, **members}
        self.headers = headers or {}

    def document(self, **members: Any) -> web.Response:
        """Return it as an answer, with some members more."""
        body = msgspec.json.encode({"type": "about:blank", **self.members, **members})
        return web.Response(body=body, status=self.status, headers=HEADERS | self.headers)


def problem_of(error: web.HTTPException) -> Problem:
    """Return what aiohttp refuses a request with, as a problem."""
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return Problem(error.status, error.text or error.reason, headers)
