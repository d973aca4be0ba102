"""A certificate authority of the tests' own, by OpenSSL's command line."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate and its key, each in a file."""

    cert: Path
    key: Path


class Authority:
    """A CA; `ca` is its certificate.

    Args:
        folder: Where everything is written.
        name: Its own name.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder = folder
        self._own = self._new_key(name, "-x509", "-days", "1")
        self.ca = self._own.cert

    def identity(self, name: str, *, days: int = 1, address: str = "127.0.0.1") -> Identity:
        """Return a new identity, of a server at an address or of a client, valid for so many days from now."""
        request = self._new_key(name)
        names = self._folder / f"{name}.ext"
        names.write_text(f"subjectAltName=IP:{address}\n")
        _openssl(
            *("x509", "-req", "-days", str(days), "-in", request.cert, "-out", request.cert, "-extfile", names),
            *("-CA", self._own.cert, "-CAkey", self._own.key, "-CAcreateserial"),
        )
        return request

    def server(self, identity: Identity, *, wants_clients_of: "Authority | None" = None) -> ssl.SSLContext:
        """Return what a server of that identity listens with; it may want a client's certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(identity.cert, identity.key)
        if wants_clients_of is not None:
            context.load_verify_locations(wants_clients_of.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _new_key(self, name: str, *more: str) -> Identity:
        identity = Identity(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        _openssl("req", *more, *curve, "-subj", f"/CN={name}", "-keyout", identity.key, "-out", identity.cert)
        return identity


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
