"""PostgreSQL databases that are lent to one test after another: emptied in milliseconds, where a new one takes the
server half a second of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg
from psycopg import sql
from sqlalchemy import make_url

TEMPLATE = "template_mobilizer"
# Above this a database keeps more than definitions (11 MB): what a test filled so far is not worth emptying.
LARGEST = 32 * 1024 * 1024

_OURS = "relkind = 'r' AND relnamespace = 'public'::regnamespace"
_TOUCHED = f"SELECT relname FROM pg_class WHERE {_OURS} AND pg_relation_size(oid) > 0"  # noqa: S608
# Each change of a definition writes a row of a catalog anew, and so changes its xmin; what comes and goes again,
# as temporary tables do, leaves the sum as it was.
_DEFINED = "SELECT ARRAY[{}]".format(
    ", ".join(
        f"(SELECT sum(xmin::text::bigint) FROM {catalog} WHERE {number} >= 16384)"  # noqa: S608
        for catalog, number in {
            "pg_class": "oid",
            "pg_attribute": "attrelid",
            "pg_constraint": "oid",
            "pg_trigger": "oid",
            "pg_proc": "oid",
        }.items()
    )
)
_LEFT_OPEN = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"""
_COUNT_ANEW = """SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    FROM pg_sequences WHERE last_value IS NOT NULL"""


class Lender:
    """Lends databases that hold what the migrations write and nothing else, as copies of TEMPLATE."""

    def __init__(self, admin: str) -> None:
        """`admin`: the address, as SQLAlchemy writes it, of a database of a server that holds TEMPLATE."""
        self._admin = admin
        self._names = count()
        self._idle: list[str] = []
        with self._connect(TEMPLATE) as template:
            self._defined = template.execute(_DEFINED).fetchone()
            self._written = {name: _rows(template, name) for (name,) in template.execute(_TOUCHED).fetchall()}

    @contextmanager
    def lend(self) -> Iterator[str]:
        """The address of a database that nobody else uses. Connections still open at the end are cut."""
        name = self._idle.pop() if self._idle else self._make()
        yield self.address(name)
        if self._emptied(name):
            self._idle.append(name)
        else:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def address(self, name: str) -> str:
        """The address of a database of the server."""
        return make_url(self._admin).set(database=name).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        """Run a statement that no transaction may hold."""
        with self._connect(make_url(self._admin).database or "") as admin:
            admin.execute(statement)  # type: ignore[call-overload]

    def _make(self) -> str:
        name = f"lent_{next(self._names)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name

    def _emptied(self, name: str) -> bool:
        """Whether it is as new; one that was redefined or has grown large is not."""
        with self._connect(name) as lent:
            lent.execute(_LEFT_OPEN)
            size = lent.execute("SELECT pg_database_size(current_database())").fetchone()
            if lent.execute(_DEFINED).fetchone() != self._defined or size is None or size[0] > LARGEST:
                return False
            touched = [table for (table,) in lent.execute(_TOUCHED).fetchall()]
            with lent.transaction():
                lent.execute("SET LOCAL session_replication_role = replica")  # rows go in any order, unasked
                for table in touched:
                    lent.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
                for table, rows in self._written.items():
                    with lent.cursor() as cursor, cursor.copy(_copy(table, "FROM STDIN")) as copy:
                        copy.write(rows)
                lent.execute(_COUNT_ANEW)
            # Gives the rows' places back: else new rows would come in another order than they are written.
            lent.execute(sql.SQL("VACUUM {}").format(sql.SQL(", ").join(map(sql.Identifier, touched))))
            for table in touched:  # as in a new database, nothing is known of how large it is: plans go by that
                lent.execute("SELECT pg_clear_relation_stats('public', %s)", [table])
        return True

    def _connect(self, name: str) -> psycopg.Connection:
        return psycopg.connect(self.address(name).replace("+psycopg", "", 1), autocommit=True)


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    with connection.cursor() as cursor, cursor.copy(_copy(table, "TO STDOUT")) as copy:
        return b"".join(copy)


def _copy(table: str, direction: str) -> sql.Composed:
    return sql.SQL("COPY {} " + direction).format(sql.Identifier(table))
