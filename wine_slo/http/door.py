"""Who may come in: a client's host name, password and site, before any route sees the request."""

import hmac
from base64 import b64decode
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import HttpVersion10, HttpVersion11, web

from wine_slo.config.hosts import host_name, is_loopback
from wine_slo.http.problem import NAME, Problem

OUR_OWN = {"same-origin", "none"}  # Sec-Fetch-Site of our own pages, and of a person who typed the address


CONTINUE = "100-continue"


BASIC, BEARER = "basic ", "bearer "


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Who may come in.

    Attributes:
        hosts: The names in `Host` that are ours; None where every name is. Those of loopback always are.
        password: Wanted by basic authentication, with any name, or as a bearer token; None where nobody need log in.
        open_paths: What needs no password.
    """

    hosts: Collection[str | None] | None = None
    password: str | None = None
    open_paths: Collection[str] = ()

    @classmethod
    def at(
        cls,
        address: str,
        hosts: Collection[str],
        *,
        own: str | None = None,
        password: str | None = None,
        open_paths: Collection[str] = (),
    ) -> Self:
        """Return the door of a server that listens on an address.

        On loopback every other name is that of a website whose name leads here (DNS rebinding). Elsewhere a proxy may
        call us by any name, so that only names which are set are held to.

        Args:
            address: where it listens.
            hosts: the names that are set.
            own: the name by which we ourselves call it.
            password: as the door's.
            open_paths: as the door's.
        """
        names = {host_name(each) for each in hosts}
        is_checked = names or is_loopback(address)
        return cls(hosts=names | {own} if is_checked else None, password=password, open_paths=open_paths)

    def refusal(self, request: web.BaseRequest) -> Problem | None:
        """Return why a request is refused; None where it is not."""
        headers = request.headers
        if not HttpVersion10 <= request.version <= HttpVersion11:
            return Problem(400, "this server speaks HTTP/1.1")
        if headers.get("Expect", CONTINUE).lower() != CONTINUE:
            return Problem(417, f"only {CONTINUE} can be expected")
        if self.hosts is not None and not self._is_ours(headers.get("Host", "")):
            return Problem(421, "this name is not one of this server's; WINE_SLO_ALLOWED_HOSTS lists them")
        if is_from_elsewhere(headers) and headers.get("Sec-Fetch-Mode") != "navigate":
            return Problem(403, "this request comes from another site")
        if self.password is not None and request.path not in self.open_paths and not self._knows(headers):
            return Problem(401, "log in", {"WWW-Authenticate": f'Basic realm="{NAME}", charset="UTF-8"'})
        return None

    def _is_ours(self, host: str) -> bool:
        name = host_name(host)
        return not name or is_loopback(name) or name in (self.hosts or ())

    def _knows(self, headers: Any) -> bool:
        given = headers.get("Authorization", "")
        if given[: len(BEARER)].lower() == BEARER:
            secret = given[len(BEARER) :].strip().encode("utf-8", "surrogateescape")
        elif given[: len(BASIC)].lower() == BASIC:
            try:
                _, _, secret = b64decode(given[len(BASIC) :]).partition(b":")
            except ValueError:
                return False
        else:
            return False
        return hmac.compare_digest(secret, (self.password or "").encode())


def is_from_elsewhere(headers: Any) -> bool:
    """Return whether a browser sends this on behalf of a page of another site."""
    return headers.get("Sec-Fetch-Site", "none") not in OUR_OWN
