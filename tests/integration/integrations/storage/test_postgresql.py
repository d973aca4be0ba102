"""The ledger on the real PostgreSQL: a wrong database is refused in a sentence, and nothing waits for ever."""

import pytest

from tests.support.real.postgres import OWNER, PASSWORDS, STRANGER, Database, Postgres
from tests.support.real.prometheus import free_port
from wine_slo.integrations.storage.engines.postgresql import Postgresql
from wine_slo.integrations.storage.ledger import Ledger
from wine_slo.integrations.storage.ledger_error import LedgerError
from wine_slo.integrations.storage.schema import STEPS, TABLES
from wine_slo.slo.evaluation.engine import State


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
