"""The headers by which a server knows us, some of which hold secrets that are rotated."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

from wine_slo.config.setting_types import Secret
from wine_slo.slo import redaction

FRAMING = {"content-length", "transfer-encoding"}  # a server would wait for what is never sent
LINE = re.compile(r"([\w!#$%&'*+.^`|~-]+):[ \t]*([!-~](?:[ -~]*[!-~])?)[ \t]*", re.ASCII)


class HeaderLines(Secret):
    """Headers, a line each: `X-Api-Key: secret`.

    Raises:
        ValueError: a line is no header, or one that frames a request; or two have the same name.
    """

    def __init__(self, value: str, file: Path | None = None) -> None:
        found = [LINE.fullmatch(line) for line in value.splitlines() if line.strip()]
        self.headers = {each[1]: each[2] for each in found if each}
        if len({name.lower() for name in self.headers} - FRAMING) < len(found):
            raise ValueError("is no header, or another one of the same name")
        super().__init__(value, file)

    @property
    def hidden(self) -> tuple[str, ...]:
        """Return what no output may show: the value of each."""
        return tuple(self.headers.values())


class AccessHeaders(Mapping[str, str]):
    """Headers that authorise us; each use reads a token or a password in a file again, as it may be rotated.

    What the file held last is sent while it cannot be read.
    """

    def __init__(
        self,
        token: Secret | None,
        username: str | None,
        password: Secret | None,
        tenant: str | None,
        more: HeaderLines | None,
    ) -> None:
        self._token = token
        self._username = username
        self._password = password
        self._tenant = tenant
        self._more = more

    def __getitem__(self, name: str) -> str:
        return self._now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def _now(self) -> dict[str, str]:
        headers = {}
        if self._token:
            self._token = self._token.reread()
            headers["Authorization"] = f"Bearer {self._token.value}"
        elif self._username:
            self._password = self._password and self._password.reread()
            pair = f"{self._username}:{self._password.value if self._password else ''}"
            if self._password:
                redaction.learn([pair])  # it is sent as base64, and a rotated one is new
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        if self._tenant:
            headers["X-Scope-OrgID"] = self._tenant
        self._more = self._more and self._more.reread()
        more = self._more.headers if self._more else {}
        replaced = {name.lower() for name in more}
        return {name: value for name, value in headers.items() if name.lower() not in replaced} | more
