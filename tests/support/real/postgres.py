"""The real PostgreSQL on a free port of loopback; it can go away and come back with its data.

It runs as a user that is not root, and ends with the process that started it, however that one ends: a guard waits for
the end of a pipe which only that process holds.
"""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Literal, Self

from tests.support.real.prometheus import free_port, program

How = Literal["fast", "immediate"]  # as a shutdown of its machine, or as a crash

ROOT = "postgres"  # the superuser, whom only the socket in the folder lets in
OWNER = "watchdog"  # of every database
STRANGER = "stranger"  # may connect, and do nothing more
PASSWORDS = {OWNER: "a-secret-of-the-watchdog", STRANGER: "a-secret-of-the-stranger"}
STARTS_WITHIN = 30.0  # seconds
GUARD = """
folder=$1; shift
"$@" & server=$!
read -r word || word=gone
case $word in immediate) kill -QUIT $server ;; *) kill -INT $server ;; esac
wait $server
[ $word != gone ] || rm -rf "$folder"
"""
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "jit": "off",
    "password_encryption": "'scram-sha-256'",
}


@dataclass(frozen=True, slots=True)
class Database:
    """A database of one test, empty and owned by `OWNER`."""

    server: "Postgres"
    name: str

    @property
    def url(self) -> str:
        return self.url_of(OWNER)

    def url_of(self, role: str, address: str = "") -> str:
        """Return the address for another role, or through a proxy at another host and port."""
        where = address or f"127.0.0.1:{self.server.port}"
        return f"postgresql+psycopg://{role}:{PASSWORDS[role]}@{where}/{self.name}"

    def run(self, sql: str) -> list[list[str]]:
        """Run statements as the superuser; the rows of the last, as text."""
        return self.server.run(sql, self.name)


class Postgres:
    """One server with its data in a temporary folder.

    Args:
        is_durable: Whether a commit is on the disk before it is acknowledged; without, everything is faster.
        settings: More of its configuration, as `postgresql.conf` has it.
    """

    def __init__(self, *, is_durable: bool = False, **settings: str) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self._settings = SETTINGS | ({} if is_durable else FAST) | settings
        self._guard: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)

    def __enter__(self) -> Self:
        try:
            self._initialize()
            self.start()
            self.run(_ROLES, "template1")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop("immediate")
        shutil.rmtree(self.folder)

    @property
    def is_running(self) -> bool:
        return self._guard is not None

    @property
    def log(self) -> str:
        """Everything it has said so far."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self) -> None:
        """Run until `stop`; come back when it answers.

        Raises:
            AssertionError: it does not answer in time; says what it logged.
        """
        if self._guard is not None:
            return
        command = [program("postgres"), "-D", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            self._guard = subprocess.Popen(
                ["sh", "-c", GUARD, "guard", str(self.folder), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # a Ctrl-C is for the tests, which then end it
                **_unprivileged(),
            )
        deadline = monotonic() + STARTS_WITHIN
        while self._psql("SELECT 1").returncode != 0:
            assert monotonic() < deadline, f"postgres does not answer:\n{self.log}"
            sleep(0.05)

    def stop(self, how: How = "fast") -> None:
        """End it and its connections, as a restart of its machine would, or as a crash; its data stay."""
        if self._guard is None:
            return
        self._guard.communicate(f"{how}\n".encode(), timeout=60)
        self._guard = None

    def restart(self, how: How = "fast") -> None:
        self.stop(how)
        self.start()

    @asynccontextmanager
    async def away(self, how: How = "fast") -> AsyncIterator[None]:
        """Be stopped for as long as the context lasts."""
        await asyncio.to_thread(self.stop, how)
        yield
        await asyncio.to_thread(self.start)

    def create(self) -> Database:
        """Return a new database."""
        database = Database(self, f"test_{next(self._numbers)}")
        self.run(f"CREATE DATABASE {database.name} OWNER {OWNER}")
        return database

    def drop(self, database: Database) -> None:
        """Drop a database, whoever is connected to it."""
        self.run(f"DROP DATABASE {database.name} WITH (FORCE)")

    def run(self, sql: str, database: str = "postgres") -> list[list[str]]:
        """Run statements as the superuser; the rows of the last, as text."""
        done = self._psql(sql, database)
        assert done.returncode == 0, f"{sql}\n{done.stderr}"
        return [line.split("\t") for line in done.stdout.splitlines()]

    def _psql(self, sql: str, database: str = "postgres") -> subprocess.CompletedProcess[str]:
        how = ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--field-separator=\t", "--set=ON_ERROR_STOP=1"]
        where = [f"--host={self.folder}", f"--port={self.port}", f"--username={ROOT}", f"--dbname={database}"]
        command = [program("psql"), *how, *where, f"--command={sql}"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def _initialize(self) -> None:
        user = _unprivileged()
        if user:
            os.chown(self.folder, user["user"], user["group"])
        data = self.folder / "data"
        command = [program("initdb"), f"--pgdata={data}", f"--username={ROOT}", "--encoding=UTF8", "--locale=C"]
        command += ["--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256"]
        made = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, **user)
        assert made.returncode == 0, f"{made.stdout}\n{made.stderr}"
        own = {"port": str(self.port), "unix_socket_directories": f"'{self.folder}'"}
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = {value}\n" for name, value in (self._settings | own).items())


_ROLES = "".join(
    (
        # A server before 15 lets everyone create in `public`, and no owner of a database but by that.
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
        *(f"CREATE ROLE {role} LOGIN PASSWORD '{password}';" for role, password in PASSWORDS.items()),
        f"GRANT ALL ON SCHEMA public TO {OWNER};",
    )
)


def _unprivileged() -> dict[str, Any]:
    """Return the arguments that make a process of root one of nobody, as PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
