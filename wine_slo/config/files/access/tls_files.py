"""The files by which a server is trusted and this client is known, as TLS uses them.

They are read again when they change, as short-lived certificates are rotated. Two files are never exchanged in one
moment, so what was read last holds until all of them can be used together again.
"""

import ssl
from pathlib import Path

from wine_slo.config.files import text_file


class TlsFileError(ValueError):
    """A file cannot be used.

    Attributes:
        field: Which one: `ca_file`, `cert_file` or `key_file`.
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class TlsFiles:
    """The files of one connection; those that are None are not used.

    Args:
        ca_file: The CAs that are trusted, in place of those of the system.
        cert_file: This client's certificate, and those between it and its CA.
        key_file: Its key.
    """

    def __init__(self, ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> None:
        self._files = {"ca_file": ca_file, "cert_file": cert_file, "key_file": key_file}
        self._known: tuple[object, ...] | None = None
        self._context: ssl.SSLContext | None = None

    def read(self) -> ssl.SSLContext | bool:
        """Return what connections are made with; True for the CAs of the system.

        Blocks on the disk, shortly.

        Raises:
            TlsFileError: A file cannot be used, and never could.
        """
        if not any(self._files.values()):
            return True
        found = tuple(_version(path) for path in self._files.values())
        if self._context is None or found != self._known:
            try:
                self._context, self._known = self._load(), found
            except TlsFileError:
                if self._context is None:
                    raise
        return self._context

    def _load(self) -> ssl.SSLContext:
        texts = {field: _read(field, path) for field, path in self._files.items() if path is not None}
        try:
            context = ssl.create_default_context(cafile=self._files["ca_file"])
        except (OSError, ValueError) as error:
            raise TlsFileError("ca_file", "it holds no certificate in PEM") from error
        cert_file, key_file = self._files["cert_file"], self._files["key_file"]
        if cert_file is not None and key_file is not None:
            if "-----BEGIN CERTIFICATE-----" not in texts["cert_file"]:
                raise TlsFileError("cert_file", "it holds no certificate in PEM")
            if "ENCRYPTED" in texts["key_file"]:
                raise TlsFileError("key_file", "its key is encrypted")
            try:
                context.load_cert_chain(cert_file, key_file)
            except (OSError, ValueError) as error:
                is_other = getattr(error, "reason", None) == "KEY_VALUES_MISMATCH"
                sentence = "it is the key of another certificate" if is_other else "it holds no key in PEM"
                raise TlsFileError("key_file", sentence) from error
        return context


def _read(field: str, path: Path) -> str:
    try:
        return text_file.read(path)
    except text_file.TextFileError as error:
        raise TlsFileError(field, f"it cannot be read: {error}") from error


def _version(path: Path | None) -> object:
    """Return what differs as soon as a file is another one; a link is followed."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return found and (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
