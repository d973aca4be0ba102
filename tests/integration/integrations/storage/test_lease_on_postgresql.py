"""The lease on the real PostgreSQL, which a leader that is suspended in a transaction does not hold up."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import pytest

from tests.support.real.postgres import Database
from wine_slo.integrations.storage.lease.rows import LeaseRows
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.slo.lease import Lease, Watchdog

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FENCED = "SELECT number FROM lease FOR SHARE"


def of(name: str, number: int) -> Lease:
    return Lease(leader=Watchdog(id=name, host="h", boot="b", pid=7, since=NOW), number=number)


@pytest.fixture
def rows(database: Database) -> Iterator[LeaseRows]:
    ledger = Ledger.open(database.url)
    assert ledger.lease.take(of("a", 1), instead_of=None)
    yield ledger.lease
    ledger.close()


def test_a_leader_that_is_suspended_between_several_statements_does_not_hold_up_a_takeover(
    database: Database, rows: LeaseRows
) -> None:
    suspended = psycopg.connect(database.url.replace("+psycopg", ""))
    taken = False
    with suppress(psycopg.OperationalError), suspended, suspended.pipeline():
        suspended.execute(FENCED)  # and nothing says that this was the last statement
        suspended.pgconn.send_flush_request()
        suspended.pgconn.flush()
        taken = rows.take(of("b", 2), instead_of=of("a", 1))
    assert taken
    assert suspended.broken


def test_a_standby_that_was_slower_ends_no_session_of_the_new_leader(database: Database, rows: LeaseRows) -> None:
    assert rows.take(of("b", 2), instead_of=of("a", 1))
    with psycopg.connect(database.url.replace("+psycopg", "")) as leader:
        assert leader.execute(FENCED).fetchall() == [(2,)]
        assert not rows.take(of("c", 2), instead_of=of("a", 1))
        assert leader.execute(FENCED).fetchall() == [(2,)]
