"""The real PostgreSQL under a test's hand."""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

from tests.support.real.postgres import PASSWORDS, STRANGER, Database, Postgres
from tests.support.real.prometheus import program

HELD = """
import sys, time
from tests.support.real.postgres import Postgres
with Postgres() as server:
    print(server.port, server.folder, flush=True)
    time.sleep(60)
"""


def connect(url: str, sql: str) -> subprocess.CompletedProcess[str]:
    """Run SQL as an application would, over TCP with the password of the address."""
    address = url.replace("postgresql+psycopg", "postgresql")
    command = [program("psql"), "--no-psqlrc", "--no-align", "--tuples-only", f"--command={sql}", address]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_database_is_empty_and_its_owner_may_write(database: Database) -> None:
    assert database.run("SELECT * FROM pg_tables WHERE schemaname = 'public'") == []
    written = connect(database.url, "CREATE TABLE facts (n int); INSERT INTO facts VALUES (1)")
    assert written.returncode == 0, written.stderr
    assert database.run("SELECT n, n + 1 FROM facts") == [["1", "2"]]


def test_a_wrong_password_is_refused_and_a_stranger_may_not_write(database: Database) -> None:
    refused = connect(database.url.replace(PASSWORDS["watchdog"], "guessed"), "SELECT 1")
    assert "password authentication failed" in refused.stderr
    stranger = connect(database.url_of(STRANGER), "SELECT current_user")
    assert stranger.stdout == f"{STRANGER}\n", stranger.stderr
    assert "permission denied" in connect(database.url_of(STRANGER), "CREATE TABLE mine (n int)").stderr


async def test_its_data_are_there_after_it_was_away(postgres: Postgres, database: Database) -> None:
    connect(database.url, "CREATE TABLE facts (n int); INSERT INTO facts VALUES (7)")
    async with postgres.away():
        assert "Connection refused" in connect(database.url, "SELECT 1").stderr
    assert connect(database.url, "SELECT n FROM facts").stdout == "7\n"
    postgres.restart("immediate")
    assert connect(database.url, "SELECT 1").stdout == "1\n"
    assert "was not properly shut down" in postgres.log


def test_it_ends_and_leaves_nothing_when_the_tests_are_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", HELD], stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        port, folder = tests.stdout.readline().split()
        tests.send_signal(signal.SIGKILL)
    deadline = monotonic() + 30
    while Path(folder).exists():
        assert monotonic() < deadline, f"{folder} is still there"
        sleep(0.05)
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", int(port))) != 0
