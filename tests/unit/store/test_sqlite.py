from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from auditd.store.errors import StoreFault, StoreUnavailableError
from auditd.store.sqlite import fault_of, open_engine, sqlite_path


def test_a_url_names_a_file() -> None:
    assert sqlite_path("sqlite:////var/lib/x/state.db") == Path("/var/lib/x/state.db")
    assert sqlite_path("sqlite:///state.db") == Path.cwd() / "state.db"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://auditd:hunter2@db/state", "must be sqlite://"),
        ("mysql://auditd:hunter2@db/state", "must be sqlite://"),
        ("sqlite:////state.db?mode=ro", "must be sqlite://"),
        ("sqlite://hunter2/state.db", "must be sqlite://"),
        ("sqlite+pysqlcipher:////state.db", "must be sqlite://"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("/var/lib/hunter2/state.db", "is none"),
        ("sqlite://host:hunter2/state.db", "is none"),
    ],
)
def test_any_other_url_is_refused_without_repeating_it(url: str, reason: str) -> None:
    with pytest.raises(StoreUnavailableError, match=reason) as refusal:
        sqlite_path(url)
    assert "hunter2" not in str(refusal.value)


def test_a_commit_survives_a_power_cut(path: Path) -> None:
    engine = open_engine(path)
    with engine.connect() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        values = [connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() for pragma in pragmas]
    engine.dispose()
    assert values == ["wal", 2, 1, 5000]


def test_a_transaction_begins_as_a_writer(path: Path) -> None:
    engine = open_engine(path)
    other = sqlite3.connect(path, timeout=0)
    with engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("SELECT 1")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    engine.dispose()
    other.close()


def test_faults_of_the_driver_have_a_name(path: Path) -> None:
    path.write_bytes(b"not a database" * 100)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.DatabaseError) as damaged:
        connection.execute("SELECT * FROM sqlite_schema")
    assert fault_of(damaged.value) is StoreFault.DAMAGED
    with pytest.raises(sqlite3.OperationalError) as undecodable:
        sqlite3.connect(":memory:").execute("SELECT CAST(x'ff' AS TEXT)").fetchall()
    assert fault_of(undecodable.value) is StoreFault.DAMAGED
    with pytest.raises(sqlite3.OperationalError) as nonsense:
        sqlite3.connect(":memory:").execute("nonsense")
    assert fault_of(nonsense.value) is StoreFault.INTERNAL
    assert fault_of(None) is StoreFault.INTERNAL
    connection.close()
