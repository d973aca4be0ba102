"""The ledger on the real PostgreSQL: a wrong database is refused in a sentence, and nothing waits for ever."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic
from typing import Literal

import pytest

from tests.support.fakes.tcp_proxy import TcpProxy
from tests.support.real.postgres import OWNER, PASSWORDS, STRANGER, Database, Postgres
from tests.support.real.prometheus import free_port
from tests.support.scene import CHAT, at
from wine_slo.integrations.storage.engines.postgresql import Postgresql
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.rows import encode
from wine_slo.integrations.storage.schema import STEPS, TABLES
from wine_slo.slo.chat.address import Address
from wine_slo.slo.chat.channel import Subscriber
from wine_slo.slo.evaluation.engine import State
from wine_slo.slo.evaluation.key_state import KeyState
from wine_slo.slo.objectives.objective import Key
from wine_slo.slo.source.deployment import Reported
from wine_slo.slo.views.board_text import BoardRecord


def refusal(url: str) -> str:
    with pytest.raises(LedgerError) as caught:
        Ledger.open_or_remember(url)
    assert not any(password in str(caught.value) for password in PASSWORDS.values())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def earlier(database: Database, version: int) -> None:
    """Write a ledger as the program of an earlier schema wrote it."""
    steps = ";".join(each.format_map(Postgresql.types) for step in STEPS[:version] for each in step)
    facts = f"INSERT INTO facts VALUES ('version', '{version}'), ('last_number', '41')"
    database.run(f"SET ROLE {OWNER}; {steps}; {facts}")


def schema(database: Database) -> list[list[str]]:
    return database.run(
        "SELECT table_name, column_name, data_type, collation_name, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY 1, 2"
    ) + database.run("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")


@pytest.mark.parametrize("version", range(len(STEPS) + 1))
def test_a_ledger_of_every_earlier_version_becomes_one_of_this(
    postgres: Postgres, database: Database, version: int
) -> None:
    new = postgres.create()
    Ledger.open(new.url).close()
    if version:
        earlier(database, version)
    ledger = Ledger.open(database.url)
    assert ledger.load().state.last_number == (41 if version else 0)
    ledger.save(State(), State(last_number=42))
    ledger.close()
    assert schema(database) == schema(new)
    assert {row[0] for row in schema(new)} >= TABLES.tables.keys()
    postgres.drop(new)


def test_a_step_that_fails_leaves_the_version_before_it(database: Database) -> None:
    earlier(database, 1)
    database.run("CREATE TABLE acts (number int)")  # of somebody else, in the way of the third step
    assert "cannot be opened" in refusal(database.url)
    assert database.run("SELECT value FROM facts WHERE name = 'version'") == [["2"]]
    database.run("DROP TABLE acts")
    Ledger.open(database.url).close()


def test_a_newer_version_is_refused_with_what_to_do(database: Database) -> None:
    earlier(database, len(STEPS))
    database.run("UPDATE facts SET value = '99' WHERE name = 'version'")
    assert f"its schema is 99, this program knows {len(STEPS)}); start that version" in refusal(database.url)


# What is wrong, as somebody types it


def test_a_server_that_is_not_there_is_refused(database: Database) -> None:
    sentence = refusal(database.url_of(OWNER, f"127.0.0.1:{free_port()}"))
    assert "cannot be opened: " in sentence
    assert "Connection refused" in sentence


def test_a_wrong_password_and_an_unknown_database_are_refused(database: Database) -> None:
    wrong = database.url.replace(PASSWORDS[OWNER], "guessed")
    assert f'password authentication failed for user "{OWNER}"' in refusal(wrong)
    assert "guessed" not in refusal(wrong)
    assert 'database "nowhere" does not exist' in refusal(database.url.replace(database.name, "nowhere"))


def test_a_user_who_may_not_make_the_tables_is_refused_with_the_command_that_helps(database: Database) -> None:
    database.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    sentence = refusal(database.url_of(STRANGER))
    assert "permission denied for schema public; wanted: a schema where it may make tables" in sentence
    assert f'GRANT CREATE ON SCHEMA public TO "{STRANGER}"' in sentence


@pytest.mark.parametrize("lacks", ["SELECT", "INSERT", "UPDATE", "DELETE"])
def test_a_user_who_lacks_a_right_is_refused_with_the_command_that_helps(database: Database, lacks: str) -> None:
    Ledger.open(database.url).close()
    database.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {STRANGER}")
    Ledger.open(database.url_of(STRANGER)).close()
    database.run(f"REVOKE {lacks} ON {'facts' if lacks == 'SELECT' else 'boards'} FROM {STRANGER}")
    sentence = refusal(database.url_of(STRANGER))
    assert ("permission denied for table facts" if lacks == "SELECT" else f"no right to {lacks} on boards") in sentence
    assert f'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "public" TO "{STRANGER}"' in sentence


def test_a_server_that_may_only_be_read_is_refused(database: Database) -> None:
    Ledger.open(database.url).close()
    database.run(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
    assert "it is read-only; wanted: the primary server" in refusal(database.url)


def test_a_database_of_another_program_is_refused_and_left_as_it_is(database: Database) -> None:
    database.run("CREATE TABLE customers (id int)")
    assert "it is the database of another program: it has a table customers; wanted: " in refusal(database.url)
    assert {row[0] for row in schema(database)} == {"customers"}
    database.run(f"CREATE SCHEMA slo AUTHORIZATION {OWNER}")
    Ledger.open(f"{database.url}?options=-csearch_path%3Dslo").close()
    assert database.run("SELECT count(*) FROM slo.facts") == [["1"]]


def test_a_database_that_cannot_hold_every_character_is_refused(postgres: Postgres, database: Database) -> None:
    postgres.run(f"CREATE DATABASE latin OWNER {OWNER} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    sentence = refusal(database.url.replace(database.name, "latin"))
    assert "its encoding is LATIN1; wanted: a database with the encoding UTF8" in sentence
    postgres.run("DROP DATABASE latin WITH (FORCE)")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "mysql"])
def test_another_scheme_is_refused_with_the_one_that_is_wanted(scheme: str) -> None:
    sentence = refusal(f"{scheme}://{OWNER}:{PASSWORDS[OWNER]}@127.0.0.1/ledger")
    assert f"{scheme}:// is not supported; wanted: sqlite:///relative/path" in sentence
    assert "postgresql+psycopg://host/database with USER:PASSWORD@ before the host" in sentence


def test_a_password_with_an_at_sign_that_is_not_escaped_is_refused_and_no_part_of_it_shown() -> None:
    sentence = refusal(f"postgresql+psycopg://{OWNER}:hun@ter2@127.0.0.1/ledger")
    assert "its address is no SQLAlchemy URL" in sentence
    assert "an @ of the password is %40" in sentence
    assert "ter2" not in sentence


def test_a_backup_names_the_program_that_makes_it_and_no_password(tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger.backup(f"postgresql+psycopg://{OWNER}:{PASSWORDS[OWNER]}@db:6432/slo", tmp_path / "slo.dump")
    command = (
        f"pg_dump --host=db --port=6432 --username={OWNER} --dbname=slo --format=custom --file={tmp_path}/slo.dump"
    )
    assert str(caught.value).endswith(command)
    assert PASSWORDS[OWNER] not in str(caught.value)


# A server, or a network, that is away


@pytest.fixture
async def proxy(postgres: Postgres) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(postgres.port) as proxy:
        yield proxy


@pytest.fixture
async def ledger(database: Database, proxy: TcpProxy) -> AsyncIterator[Ledger]:
    ledger = await asyncio.to_thread(Ledger.open, database.url_of(OWNER, f"127.0.0.1:{proxy.port}"))
    yield ledger
    ledger.close()


def written(database: Database) -> list[list[str]]:
    return database.run("SELECT value FROM facts WHERE name = 'last_number'")


async def fails(call: Callable[..., object], *arguments: object) -> tuple[str, float]:
    """Return with which sentence a call fails, and after how many seconds."""
    began = monotonic()
    with pytest.raises(LedgerError) as caught:
        await asyncio.to_thread(call, *arguments)
    return str(caught.value), monotonic() - began


def keys(count: int) -> list[Key]:
    return [Key("latency", (("endpoint", str(number)),)) for number in range(count)]


def known(number: int) -> State:
    return State(last_number=number, evaluated_at=at(number))


async def test_a_network_that_swallows_everything_ends_a_call_in_time_and_the_next_one_works(
    database: Database, proxy: TcpProxy, ledger: Ledger
) -> None:
    await asyncio.to_thread(ledger.save, State(), known(1))
    proxy.stalls()
    sentence, seconds = await fails(ledger.save, known(1), known(2))
    assert "the ledger cannot be written: " in sentence
    assert seconds < 5
    sentence, seconds = await fails(ledger.load)
    assert "the ledger cannot be read: " in sentence
    assert seconds < 5
    await proxy.passes()
    await asyncio.to_thread(ledger.save, known(1), known(3))
    assert written(database) == [["3"]]


@pytest.mark.parametrize("after", [1, 40, 100])
async def test_a_network_that_breaks_in_the_middle_of_a_write_ends_it_in_time(
    database: Database, proxy: TcpProxy, ledger: Ledger, after: int
) -> None:
    await asyncio.to_thread(ledger.save, State(), known(1))
    proxy.stalls(after=after)
    _, seconds = await fails(ledger.save, known(1), known(2))
    assert seconds < 5
    await proxy.passes()
    await asyncio.to_thread(ledger.save, known(1), known(3))
    assert written(database) == [["3"]]


async def test_a_connection_that_is_cut_costs_no_call(database: Database, proxy: TcpProxy, ledger: Ledger) -> None:
    await asyncio.to_thread(ledger.save, State(), known(1))
    await proxy.cuts()
    await asyncio.to_thread(ledger.save, known(1), known(2))
    assert written(database) == [["2"]]


@pytest.mark.parametrize("how", ["fast", "immediate"])
async def test_a_restart_of_the_server_costs_no_call(
    postgres: Postgres, database: Database, ledger: Ledger, how: Literal["fast", "immediate"]
) -> None:
    await asyncio.gather(*(asyncio.to_thread(ledger.load) for _ in range(5)))  # several connections
    await asyncio.to_thread(postgres.restart, how)
    for number in range(5):
        await asyncio.to_thread(ledger.save, State(), known(number))
    assert written(database) == [["4"]]


async def test_a_session_that_may_only_read_is_left_for_one_that_may_write(database: Database, ledger: Ledger) -> None:
    database.run(f"ALTER DATABASE {database.name} SET default_transaction_read_only = on")
    database.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{OWNER}'")
    said, _ = await fails(ledger.save, State(), known(1))
    assert "read-only transaction; wanted: the primary server" in said
    # Nothing ends such a session: the server of the name is another one now, or a setting that it began with.
    database.server.run(f"ALTER DATABASE {database.name} RESET default_transaction_read_only")
    await asyncio.to_thread(ledger.save, State(), known(1))
    assert written(database) == [["1"]]


async def test_who_is_cut_off_in_the_middle_of_a_write_holds_up_nobody_else(
    database: Database, proxy: TcpProxy, ledger: Ledger
) -> None:
    state = State(tracks={key: KeyState(key=key, since=at(0), sight_since=at(0)) for key in keys(50)})
    await asyncio.to_thread(ledger.save, State(), state)
    proxy.stalls(after=100)
    await fails(ledger.save, State(), state)
    other = await asyncio.to_thread(Ledger.open, database.url)
    began = monotonic()
    while True:
        try:
            await asyncio.to_thread(other.save, known(1), known(2))
        except LedgerError:
            assert monotonic() - began < 10
        else:
            break
    other.close()


async def test_a_row_that_somebody_else_has_locked_ends_a_call_in_time(database: Database, ledger: Ledger) -> None:
    await asyncio.to_thread(ledger.save, State(), known(1))
    holding = asyncio.create_task(asyncio.to_thread(database.run, "BEGIN; LOCK TABLE facts; SELECT pg_sleep(4)"))
    while not await asyncio.to_thread(database.run, "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
        pass
    sentence, seconds = await fails(ledger.save, known(1), known(2))
    assert "canceling statement due to lock timeout" in sentence
    assert seconds < 5
    await holding


async def test_a_large_state_is_written_and_read_at_once(database: Database, ledger: Ledger) -> None:
    state = State(tracks={key: KeyState(key=key, since=at(0), sight_since=at(0)) for key in keys(5000)})
    await asyncio.to_thread(ledger.save, State(), state)
    assert database.run("SELECT count(*) FROM tracks") == [["5000"]]
    assert len((await asyncio.to_thread(ledger.load)).state.tracks) == 5000


async def test_what_could_not_be_written_in_an_outage_is_written_after_it(
    postgres: Postgres, database: Database, ledger: Ledger
) -> None:
    await asyncio.to_thread(ledger.save, State(), known(1))
    board = BoardRecord(address=CHAT.within("30"), message=3, text="", written_at=at(0))
    report = Reported(job="api", version="1.2", at=at(1))
    async with postgres.away():
        await fails(ledger.keep_subscriber, Subscriber(chat=CHAT))
        await fails(ledger.keep_subscriber, Subscriber(chat=CHAT, language="ru"))
        await fails(ledger.keep_board, board)
        await fails(ledger.keep_deployments, [report])
        await fails(ledger.mark_digest, CHAT, at(0))
        await fails(ledger.save, known(1), known(2))
    await asyncio.to_thread(ledger.save, known(1), known(3))
    assert written(database) == [["3"]]
    again = Ledger.open(database.url)
    assert again.load().subscribers == (Subscriber(chat=CHAT, language="ru"),)
    assert (again.boards(), again.digests(), again.deployments()) == ([board], {CHAT: at(0)}, [report])
    again.close()


async def test_another_history_that_appears_in_an_outage_is_not_written_over(
    postgres: Postgres, database: Database, ledger: Ledger
) -> None:
    await asyncio.to_thread(ledger.load)
    await asyncio.to_thread(ledger.save, State(), known(1))
    await asyncio.to_thread(ledger.save, known(1), known(2))
    async with postgres.away():
        await fails(ledger.save, known(2), known(3))
    database.run(f"UPDATE facts SET value = '{encode(at(1))}' WHERE name = 'looked_at'")  # as a backup has it
    sentence, _ = await fails(ledger.save, known(2), known(4))
    assert "holds another history: restart the watchdog to go on with that" in sentence
    assert written(database) == [["2"]]
    await asyncio.to_thread(ledger.load)
    await asyncio.to_thread(ledger.save, known(1), known(5))
    assert written(database) == [["5"]]


async def test_a_write_whose_answer_was_lost_is_still_the_history_that_was_left(
    database: Database, proxy: TcpProxy, ledger: Ledger
) -> None:
    await asyncio.to_thread(ledger.load)
    await asyncio.to_thread(ledger.save, State(), known(1))
    proxy.stalls(after=100)  # of the answers; what was sent arrives later, and so does its commit
    await fails(ledger.save, known(1), known(2))
    await proxy.passes()
    await asyncio.to_thread(database.run, f"UPDATE facts SET value = '{encode(at(2))}' WHERE name = 'looked_at'")
    await asyncio.to_thread(ledger.save, known(1), known(3))
    assert written(database) == [["3"]]


async def test_a_value_that_can_never_be_written_holds_up_no_other(database: Database, ledger: Ledger) -> None:
    sentence, _ = await fails(ledger.keep_subscriber, Subscriber(chat=Address("telegram:\0")))
    assert "cannot contain NUL" in sentence
    await asyncio.to_thread(ledger.save, State(), known(1))
    assert written(database) == [["1"]]
