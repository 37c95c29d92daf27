"""The audit log: a chain that is only added to, and what shows that somebody went round that."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from mobilizer.cli import main
from mobilizer.db import Database
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry, AuditHead, record, verify


def write(database: Database, *actions: str) -> None:
    for action in actions:
        with database.write() as session:
            record(session, None, action, "blast:1", words=["é", 1, None])


def meddle(database: Database, statement: str) -> None:
    """Change the log as somebody would who may do anything in the database."""
    sqlite = database.engine.dialect.name == "sqlite"
    with database.write() as session:
        if sqlite:
            session.execute(text("DROP TRIGGER IF EXISTS audit_refuses_update"))
            session.execute(text("DROP TRIGGER IF EXISTS audit_refuses_delete"))
        else:
            session.execute(text("ALTER TABLE audit DISABLE TRIGGER ALL"))
        session.execute(text(statement))


def test_the_database_itself_refuses_to_change_an_entry(database: Database) -> None:
    write(database, "a.b")
    for statement in (update(AuditEntry).values(action="x"), delete(AuditEntry)):
        with pytest.raises(DBAPIError, match="only added to"), database.write() as session:
            session.execute(statement)
    with database.read() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["a.b"]


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET subject = 'blast:2' WHERE id = 2", 2),
        ("UPDATE audit SET user_id = NULL, detail = '{}' WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id = 2", 3),
        ("DELETE FROM audit WHERE id = 3", 3),
    ],
)
def test_whoever_goes_round_that_leaves_a_break(installation: Installation, statement: str, broken_at: int) -> None:
    database = installation.database
    write(database, "a.b", "c.d", "e.f")
    with database.read() as session:
        whole = verify(session)
    assert (whole.last, whole.broken_at) == (3, None)
    meddle(database, statement)
    with database.read() as session:
        assert verify(session).broken_at == broken_at


def test_what_is_rolled_back_was_never_written(database: Database) -> None:
    write(database, "a.b")
    with pytest.raises(ZeroDivisionError), database.write() as session:  # noqa: PT012
        record(session, None, "c.d", "blast:1")
        raise ZeroDivisionError
    with database.read() as session:
        assert verify(session).last == 1


def test_two_at_once_never_fork_the_chain(database: Database) -> None:
    together = Barrier(2)

    def add(name: str) -> None:
        together.wait()
        write(database, *(f"{name}.{n}" for n in range(4)))

    threads = [Thread(target=add, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        verdict = verify(session)
        assert (verdict.last, verdict.broken_at) == (8, None)
        assert session.get_one(AuditHead, 1).hash == verdict.hash


def test_the_command_says_where_it_breaks_and_knows_an_earlier_end(installation: Installation) -> None:
    environment = {
        "MOBILIZER_HOME": str(installation.settings.home),
        "DATABASE_URL": installation.settings.database_url,
    }

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["audit", "verify", *arguments], env=environment)
        return result.exit_code, result.output

    write(installation.database, "a.b", "c.d")
    code, said = run()
    assert code == 0
    end = said.split()[-1]
    assert end.startswith("2:")
    write(installation.database, "e.f")
    assert run("--seen", end)[0] == 0
    assert run("--seen", "2:" + "0" * 64)[0] == 1
    assert run("--seen", "9:" + "0" * 64)[0] == 1
    meddle(installation.database, "UPDATE audit SET action = 'x' WHERE id = 2")
    code, said = run()
    assert code == 1
    assert "entry 2" in said
