from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.local.store import Store


def test_a_home_that_is_a_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("x")
    with pytest.raises(UserError, match=r"home cannot be used: File exists: set BINCOUNT_HOME"):
        Store(tmp_path / "home" / "state.db")


def test_a_state_that_is_no_database_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(UserError, match=r"state\.db cannot be used: file is not a database: set BINCOUNT_HOME"):
        Store(tmp_path / "state.db")


def test_a_full_disk_says_what_to_do_and_loses_nothing_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "state.db")
    store.create("job", "old", {"a": 1})
    connect = sqlite3.connect

    def small(*arguments: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count=1")  # SQLite keeps what there is: no page more
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(UserError, match=r"state\.db cannot be used: database or disk is full: set BINCOUNT_HOME"):
        store.create("job", "new", {"a": "x" * 100_000})
    assert store.find("job") == [{"a": 1}]
