"""Whether a watchdog leads with a ledger, for a command that works beside it."""

import os
from pathlib import Path
from time import monotonic, sleep

import sqlalchemy as sa

from wine_slo.integrations.storage.engines.database import Database
from wine_slo.integrations.storage.failover import Failover
from wine_slo.integrations.storage.lease.lock_file import LockFile
from wine_slo.integrations.storage.lease.rows import LeaseRows
from wine_slo.integrations.storage.schema import LEASE
from wine_slo.slo.lease import TIMING, Lease


def lease_of(database: Database, engine: sa.Engine) -> Lease | None:
    """Return the lease; None where nobody ever had it, as in a ledger of an earlier version.

    Raises:
        LedgerError: It cannot be read.
    """
    if not sa.inspect(engine).has_table(LEASE.name):
        return None
    return LeaseRows(Failover(engine, database)).read()


def is_led(database: Database, engine: sa.Engine) -> bool:
    """Return whether somebody leads now; takes longer than a renewal where no lock says so.

    Raises:
        LedgerError: It cannot be read.
    """
    lease = lease_of(database, engine)
    if database.path is not None:
        file = Path(os.path.realpath(database.path))
        lock = LockFile(file.with_name(f"{file.name}.lock"))
        locked = lock.take()
        lock.free()
        if locked is not None and (lease is None or lease.is_locked or not locked):
            return not locked
    until = monotonic() + 2 * TIMING.renewed_every
    while lease is not None and not lease.is_free and monotonic() < until:
        sleep(TIMING.tried_every)
        if lease_of(database, engine) != lease:
            return True
    return False
