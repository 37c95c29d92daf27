"""Ground: the database. One engine for SQLite and PostgreSQL, sessions that read or write, the database's clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from operator import itemgetter
from typing import Annotated, Any, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Engine,
    Executable,
    LargeBinary,
    MetaData,
    SQLColumnExpression,
    bindparam,
    create_engine,
    event,
    literal,
    literal_column,
    make_url,
    or_,
    text,
)
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import Integer, TypeDecorator

BUSY_SECONDS = 60
IDLE_SECONDS = 60.0
KEEPALIVE = {"idle": 15, "interval": 5, "count": 3}  # seconds, seconds, tries
TRANSACTION_TIMEOUT_SINCE = 170_000  # PostgreSQL 17
DISK_FULL = "53100"
KEY_BYTES = 16  # of a blind index


class UnsafeDurability(RuntimeError):
    """The database may forget a commit after a power cut; the sending promise can't be kept on it."""


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, always timezone-aware in Python; SQLite keeps it as naive UTC text that sorts."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class clock(FunctionElement[datetime]):
    """The database's own clock, now or `seconds` from now: the only clock that sending decisions trust."""

    type = Instant()
    inherit_cache = True

    def __init__(self, seconds: float | ColumnElement[float] = 0) -> None:
        if isinstance(seconds, ColumnElement):
            super().__init__(seconds)
        else:
            super().__init__(*([literal(float(seconds))] if seconds else []))


@compiles(clock, "sqlite")
def _sqlite_clock(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    shift = f", printf('%+.3f seconds', {compiler.process(element.clauses, **kw)})" if len(element.clauses) else ""
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now'{shift}) || '000')"


@compiles(clock, "postgresql")
def _postgresql_clock(element: clock, compiler: SQLCompiler, **kw: Any) -> str:
    if not len(element.clauses):
        return "clock_timestamp()"
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **kw)}))"


def reached(moment: SQLColumnExpression[Any], longest: float) -> ColumnElement[bool]:
    """Whether a moment has come that is never set more than `longest` seconds ahead. One that is further off was set
    before the clock was put back: to wait for it could take years, so it counts as come."""
    return or_(moment <= clock(), moment > clock(longest))


class one_of(ColumnElement[bool]):
    """Whether a column is one of many numbers, bound as one value (see `numbers`): the statement stays the same text
    for any count, so that the driver prepares it once."""

    # Without a type: SQLite would be asked whether a Boolean "= 1", and then use no index.
    inherit_cache = False

    def __init__(self, column: SQLColumnExpression[Any], name: str) -> None:
        self.column = cast(ColumnElement[Any], column)
        self.bound: BindParameter[Any] = bindparam(name)


@compiles(one_of, "sqlite")
def _sqlite_one_of(element: one_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, bound = compiler.process(element.column, **kw), compiler.process(element.bound, **kw)
    return f"{column} IN (SELECT value FROM json_each({bound}))"  # noqa: S608 - both come from the compiler


@compiles(one_of, "postgresql")
def _postgresql_one_of(element: one_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, bound = compiler.process(element.column, **kw), compiler.process(element.bound, **kw)
    return f"{column} = ANY({bound})"


class one_of_keys(one_of):
    """The same of a column that holds keys of KEY_BYTES each (see `keys`)."""

    inherit_cache = False


@compiles(one_of_keys, "sqlite")
def _sqlite_one_of_keys(element: one_of_keys, compiler: SQLCompiler, **kw: Any) -> str:
    column, size, whole = (compiler.process(part, **kw) for part in (element.column, element.bound, element.bound))
    places = f"VALUES (1) UNION ALL SELECT n + {KEY_BYTES} FROM at WHERE n + {KEY_BYTES} <= length({size})"  # noqa: S608 - all from the compiler
    return f"{column} IN (WITH RECURSIVE at(n) AS ({places}) SELECT substr({whole}, n, {KEY_BYTES}) FROM at)"  # noqa: S608


class Prepared:
    """A statement compiled once for a database; its values go to the driver as they are, in the order of `names`.

    For the few statements of the hot path: SQLAlchemy's own way costs more than SQLite takes to run them. It runs in
    the transaction of the connection; what goes wrong is the driver's own exception.
    """

    def __init__(self, statement: Executable, *names: str) -> None:
        self._statement = statement
        self._names = names
        self._compiled: dict[str, tuple[str, Callable[[tuple[Any, ...]], Any]]] = {}

    def run(self, connection: Connection, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Run it once; the rows it returns, as the driver gives them."""
        text, arrange = self._for(connection.dialect)
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(text, arrange(values))
            return cast("list[tuple[Any, ...]]", cursor.fetchall())

    def run_all(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Run it for each row; how many rows it changed in all."""
        text, arrange = self._for(connection.dialect)
        with closing(connection.connection.cursor()) as cursor:
            cursor.executemany(text, [arrange(row) for row in rows])
            return cursor.rowcount

    def _for(self, dialect: Dialect) -> tuple[str, Callable[[tuple[Any, ...]], Any]]:
        if dialect.name not in self._compiled:
            # The names are given as keys: a statement that lacks one of them must not compile.
            compiled = cast(SQLCompiler, self._statement.compile(dialect=dialect))  # type: ignore[attr-defined]
            constants = {key: value for key, value in compiled.params.items() if key not in self._names}
            self._compiled[dialect.name] = str(compiled), self._arranged(compiled, constants)
        return self._compiled[dialect.name]

    def _arranged(self, compiled: SQLCompiler, constants: dict[str, Any]) -> Callable[[tuple[Any, ...]], Any]:
        keys, rest = (*self._names, *constants), tuple(constants.values())
        if compiled.positiontup is None:
            return lambda values: dict(zip(keys, values + rest, strict=True))
        places = [keys.index(name) for name in compiled.positiontup]
        if places == list(range(len(self._names))):
            return lambda values: values
        if len(places) == 1:
            return lambda values: (values + rest)[places[0] :][:1]
        arrange = itemgetter(*places)
        return lambda values: arrange(values + rest)


def said(word: str) -> ColumnElement[str]:
    """A word of ours in the text of a statement. As a bound value SQLite would plan anew at each run: there are partial
    indexes, and the value might be one of theirs."""
    return literal_column(f"'{word}'")


def numbers(connection: Connection, values: Iterable[int]) -> object:
    """Many numbers as one value for `one_of`."""
    listed = list(values)
    return listed if connection.dialect.name == "postgresql" else str(listed)


def keys(connection: Connection, values: Iterable[bytes]) -> object:
    """Many keys as one value for `one_of_keys`."""
    return list(values) if connection.dialect.name == "postgresql" else b"".join(values)


BigId = BigInteger().with_variant(Integer, "sqlite")
Id = Annotated[int, mapped_column(BigId, primary_key=True, autoincrement=True)]


class Base(DeclarativeBase):
    """Every table of the product."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Instant, bytes: LargeBinary, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


class Database:
    """One engine and the two ways to a session: `read()` never takes a write lock, `write()` commits at its end."""

    def __init__(self, url: str, idle_seconds: float = IDLE_SECONDS) -> None:
        """`idle_seconds`: for how long PostgreSQL lets a transaction stand still before it ends it."""
        self.engine = _engine(url, idle_seconds)
        self._writing = self.engine.execution_options(begin="IMMEDIATE")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for questions; whatever it changed is rolled back."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction: committed at the end of the block, rolled back if the block raises.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that it waits its turn instead
        of failing half-way.
        """
        with Session(self._writing) as session, session.begin():
            yield session

    @contextmanager
    def steady(self) -> Iterator[Connection]:
        """One connection for many short transactions, each `with connection.begin()`: they write, as in `write()`."""
        with self._writing.connect() as connection:
            yield connection

    def hurry(self, seconds: float) -> None:
        """Let no transaction of this process take longer, on connections that are made from now on.

        Who is cut off in the middle of a batch of statements is not idle in PostgreSQL's eyes: only this ends it.
        Before version 17 nothing does but the network's own signs of life.
        """
        if self.engine.dialect.name == "postgresql":
            event.listen(self.engine, "connect", lambda connection, _record: _hurry(connection, seconds))

    def widen(self, megabytes: int) -> None:
        """Let connections of this process that are made from now on keep so much of a SQLite file in memory: who
        writes into indexes all over would else read and write the same pages again and again."""
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", lambda connection, _record: _widen(connection, megabytes))
            self.engine.dispose()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    def after_fork(self) -> None:
        """Forget, without closing, the connections that a parent process still uses; a forked child calls it first."""
        self.engine.dispose(close=False)


@contextmanager
def joined_in_order(session: Session) -> Iterator[None]:
    """Have what is asked of millions joined along the order of their numbers, in which all of it lies: several times
    faster than to look each of them up in a table of hashes, whatever PostgreSQL believes."""
    orderly = session.get_bind().dialect.name == "postgresql"
    if orderly:
        session.execute(text("SET LOCAL enable_hashjoin = off"))
    yield
    if orderly:
        session.execute(text("SET LOCAL enable_hashjoin = on"))


def disk_is_full(error: BaseException) -> bool:
    """Whether an error, SQLAlchemy's or the driver's own, is the database's word that it has no room left to write.

    PostgreSQL's class 53100, SQLite's SQLITE_FULL: the transaction is undone, and reading goes on.
    """
    said = getattr(error, "orig", None) or error
    if isinstance(said, sqlite3.Error):
        return getattr(said, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return getattr(said, "sqlstate", None) == DISK_FULL


def check_durability(database: Database) -> None:
    """Raise UnsafeDurability unless a commit is on disk when it returns."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            level = connection.execute(text("PRAGMA synchronous")).scalar_one()
            if level < 2:
                raise UnsafeDurability("SQLite must run with PRAGMA synchronous=FULL.")
            return
        for name in ("fsync", "full_page_writes"):
            if connection.execute(text(f"SHOW {name}")).scalar_one() != "on":
                raise UnsafeDurability(f"PostgreSQL must run with {name}=on.")
        if connection.execute(text("SHOW synchronous_commit")).scalar_one() == "off":
            raise UnsafeDurability("PostgreSQL must run with synchronous_commit=on.")


def _engine(url: str, idle_seconds: float) -> Engine:
    if not url.startswith("sqlite"):
        arguments = _when_cut_off(url, idle_seconds)
        return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=arguments)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    return engine


def _when_cut_off(url: str, idle_seconds: float) -> dict[str, str | int]:
    """Arguments of libpq. Nobody hears of a pulled cable: the server must not keep the locks of who is gone, and we
    must not wait for a server that is. What the address says itself comes last, and so counts."""
    theirs = make_url(url).normalized_query.get("options", ())
    after = f"{idle_seconds * 1000:.0f}"
    given_up = {"idle_in_transaction_session_timeout": after, "tcp_user_timeout": after}
    asked = {**given_up, **{f"tcp_keepalives_{name}": str(value) for name, value in KEEPALIVE.items()}}
    return {
        "options": " ".join([*(f"-c {name}={value}" for name, value in asked.items()), *theirs]),
        **{f"keepalives_{name}": value for name, value in KEEPALIVE.items()},
        "tcp_user_timeout": 30_000,
    }


def _hurry(connection: Any, seconds: float) -> None:
    if connection.info.server_version >= TRANSACTION_TIMEOUT_SINCE:
        connection.execute(f"SET transaction_timeout = {seconds * 1000:.0f}")
        connection.commit()


def _widen(connection: Any, megabytes: int) -> None:
    connection.execute(f"PRAGMA cache_size = -{megabytes * 1024}")


def _on_sqlite_connect(connection: DBAPIConnection, _record: object) -> None:
    # SQLAlchemy begins transactions itself (see below); the driver's own habit would delay them to the
    # first write and so let a reader turn writer fail at once with "database is locked".
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
        # A page that changes often is copied back once for many commits; what is committed is in the log all the same.
        "wal_autocheckpoint=8000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get("begin", "DEFERRED")
    connection.connection.cursor().execute(f"BEGIN {mode}")
