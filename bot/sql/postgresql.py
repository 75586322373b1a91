"""What is PostgreSQL's own: the address, the limits of a connection, and its failures without passwords."""

from typing import Any

import psycopg
from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import LogUnavailable, MessageUnreadable, SettingsInvalid

LOCK_SECONDS = 2.5
"""How long a statement waits for another process's lock."""
STATEMENT_SECONDS = 5
"""How long a statement may run."""
CONNECT_ARGS = {
    "application_name": "frontdesk",
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": STATEMENT_SECONDS * 1000,
}
ADVICE = "DATABASE_URL: must look like postgresql://user:password@host:5432/database, or be left out for SQLite"


def read_address(url: str) -> URL:
    """The address with our driver. Raises SettingsInvalid, without repeating the text, when it is not PostgreSQL's."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingsInvalid(ADVICE) from None
    if address.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise SettingsInvalid(f"{ADVICE} (begins with {address.drivername!r})")
    return address.set(drivername="postgresql+psycopg")


def open_postgresql(address: URL, connections: int) -> Engine:
    """An engine for the database at `address`; what the address says about its connections comes first."""
    connect_args: dict[str, Any] = {name: value for name, value in CONNECT_ARGS.items() if name not in address.query}
    engine = create_engine(
        address,
        connect_args=connect_args,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,  # a server that was restarted costs a new connection, not a lost message
        hide_parameters=True,
    )
    event.listen(engine, "connect", prepare)
    return engine


def prepare(connection: psycopg.Connection[Any], _record: object) -> None:
    """Limits that the server keeps, and UTC."""
    connection.execute(f"SET lock_timeout = {int(LOCK_SECONDS * 1000)}")
    connection.execute(f"SET statement_timeout = {STATEMENT_SECONDS * 1000}")
    connection.execute("SET TimeZone = 'UTC'")
    connection.commit()


def name_of(address: URL) -> str:
    """Host and database for messages; never user or password."""
    host = address.host or address.query.get("host") or "the local socket"
    port = f":{address.port}" if address.port else ""
    return f"PostgreSQL at {host}{port}, database {address.database!r},"


def explain_postgresql(failure: psycopg.Error, name: str) -> LogUnavailable | MessageUnreadable:
    """What is the matter with the database `name`, and what to do; the driver's own text may quote customers."""
    if isinstance(failure, psycopg.DataError):
        return MessageUnreadable()
    if failure.sqlstate is None:
        return LogUnavailable(f"{name} cannot be reached; start the server, or set DATABASE_URL to where it is")
    if failure.sqlstate.startswith("28"):
        return LogUnavailable(f"{name} refuses our user or password; correct DATABASE_URL")
    return LogUnavailable(f"{name} refuses to work [SQLSTATE {failure.sqlstate}]; see the server's log")
