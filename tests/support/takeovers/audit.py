"""What the database itself says of who wrote what, and under whose lease; and a way to stop a write in its middle.

Each row that is written is recorded by a trigger in the same transaction, so that what was rolled back is not there.
A watchdog is known by the `application_name` of its connections.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import IntEnum
from itertools import groupby
from time import monotonic
from typing import Any

import psycopg
from psycopg import sql

from tests.support.real.postgres import Database
from tests.support.takeovers.history import Tenure, Write

TABLES = ("facts", "tracks", "incidents", "told", "standings", "boards", "digests", "acts")
SCHEMA = """
CREATE SCHEMA audit;
CREATE TABLE audit.writes (id bigserial PRIMARY KEY, at double precision, who text, name text, lease jsonb);
CREATE FUNCTION audit.write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO audit.writes (at, who, name, lease) VALUES (
        extract(epoch FROM clock_timestamp()), current_setting('application_name'), TG_TABLE_NAME,
        (SELECT to_jsonb(lease) FROM public.lease LIMIT 1)
    );
    RETURN NULL;
END $$;
CREATE FUNCTION audit.wait() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint);
    RETURN NULL;
END $$;
"""
TRIGGER = """
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON public.{table} FOR EACH ROW EXECUTE FUNCTION audit.write();
"""
# An attempt is written before each message.
TRAPS = """
CREATE TRIGGER wait_in_write AFTER INSERT OR UPDATE ON public."told" FOR EACH ROW
    WHEN (NEW.value LIKE '%perhaps_sent%true%') EXECUTE FUNCTION audit.wait(4711);
CREATE CONSTRAINT TRIGGER wait_in_commit AFTER INSERT OR UPDATE ON public."told" DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.value LIKE '%perhaps_sent%true%') EXECUTE FUNCTION audit.wait(4712);
"""
# Who writes a lease has it.
LEASES = "SELECT at, who, lease FROM audit.writes WHERE name = 'lease' AND lease IS NOT NULL ORDER BY id"
CAUGHT = """
SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objid = %s AND NOT granted
"""


class Trap(IntEnum):
    """Where a transaction that writes an attempt to send is stopped."""

    WRITE = 4711  # after the statement, before its answer
    COMMIT = 4712  # in the commit


class Audit:
    """The superuser's view of one database."""

    def __init__(self, database: Database) -> None:
        server = database.server
        self._address = f"host={server.folder} port={server.port} user=postgres dbname={database.name}"

    async def install(self) -> None:
        """Record from now on; the tables are there."""
        async with self._connect() as connection:
            await connection.execute(SCHEMA)
            for table in (*TABLES, "lease"):
                await connection.execute(sql.SQL(TRIGGER).format(table=sql.Identifier(table)))
            await connection.execute(TRAPS)

    async def tenure(self) -> Tenure | None:
        """Return who has the lease now, as far as it was written since the audit began; None where nobody knows."""
        try:
            rows = await self._rows(f"{LEASES} DESC LIMIT 1")
        except psycopg.Error:
            return None
        return _tenure(*rows[0]) if rows else None

    @asynccontextmanager
    async def trap(self, where: Trap) -> AsyncIterator["Trapped"]:
        """Stop who comes there, until that is released or the context ends."""
        async with self._connect() as connection:
            await connection.execute("SELECT pg_advisory_lock(%s)", [int(where)])
            yield Trapped(connection, where)

    async def tenures(self) -> list[Tenure]:
        """Return who had the lease since the audit began."""
        found: list[Tenure] = []
        all_ = [_tenure(*row) for row in await self._rows(LEASES)]
        for _, same in groupby(all_, lambda each: (each.number, each.who)):
            first, *others = same
            found.append(replace(first, is_freed=any(each.is_freed for each in (first, *others))))
        ends = [*(each.since for each in found[1:]), float("inf")]
        return [replace(each, until=until) for each, until in zip(found, ends, strict=True)]

    async def writes(self) -> list[Write]:
        """Return every row that was written, but those of the lease."""
        leaders = {lease["leader"]: who for _, who, lease in await self._rows(LEASES)}
        rows = await self._rows("SELECT at, who, lease, name FROM audit.writes WHERE name <> 'lease' ORDER BY id")
        return [
            Write(who=who, leader=leaders.get(lease["leader"], "nobody") if lease else "nobody", at=at, table=name)
            for at, who, lease, name in rows
        ]

    async def _rows(self, query: str) -> list[Any]:
        async with self._connect() as connection:
            return await (await connection.execute(query.encode())).fetchall()

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True, connect_timeout=5)
        try:
            yield connection
        finally:
            await connection.close()


class Trapped:
    """Who was stopped in a trap that stands."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], where: Trap) -> None:
        self._connection = connection
        self._where = where

    async def until_caught(self, seconds: float) -> str:
        """Wait for somebody to come, and return who that is; empty where nobody comes in time."""
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            rows = await (await self._connection.execute(CAUGHT, [int(self._where)])).fetchall()
            if rows:
                return str(rows[0][0])
            await asyncio.sleep(0.05)
        return ""

    async def release(self) -> None:
        """Let go who was caught, and whoever comes after."""
        await self._connection.execute("SELECT pg_advisory_unlock_all()")


def _tenure(at: float, who: str, lease: dict[str, Any]) -> Tenure:
    is_free = json.loads(lease["value"]).get("is_free", False)
    return Tenure(number=lease["number"], who=who, since=at, is_freed=is_free)
