"""The state of the local account: documents in SQLite that any process can read while another writes.

A document is the Describe response of the thing it stands for, as the service would give it; keys that start with
an underscore are ours and leave no API call.
"""

from __future__ import annotations

import json
import sqlite3
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.local.home import ADVICE

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  kind TEXT NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL, body TEXT NOT NULL,
  created REAL NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (kind, id));
CREATE INDEX IF NOT EXISTS by_parent ON documents (kind, parent, sequence);
"""


class AlreadyExistsError(Exception):
    """A document of this kind and id is there already."""


class MissingDocumentError(Exception):
    """There is no document of this kind and id."""


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise UserError(f"{path} cannot be used: {error}: {ADVICE}") from error


class Store:
    """Documents by kind and id. Every method is one transaction; use `transaction` to join several.

    Raises UserError, from every method, where the file cannot be used: read-only, on a full disk, no database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _explained(path):
            self._open()

    def _open(self) -> None:
        path = self._path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{path.parent} cannot be used: {error.strerror}: {ADVICE}") from None
        # Never used again, but open: SQLite folds the log into the database, and waits for the disk, whenever the last
        # connection closes, which without this one would be after every transaction.
        keeper = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, keeper.close)
        keeper.execute("PRAGMA journal_mode=WAL")
        keeper.executescript(_SCHEMA)

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        # A connection a transaction: safe from any thread or process, and costs 0.1 ms.
        with _explained(self._path):
            connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
            try:
                # A power cut may lose the last moments, never the rest; waiting for the disk at each change is what
                # costs.
                connection.execute("PRAGMA synchronous=NORMAL")
                yield connection
            finally:
                connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Hold the write lock while several documents are read and written together."""
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(connection)
            except BaseException:
                if connection.in_transaction:  # a full disk has SQLite roll back by itself
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def create(self, kind: str, id: str, body: Mapping[str, Any], parent: str = "") -> None:
        """Add a document. Raises AlreadyExistsError."""
        with self.transaction() as transaction:
            transaction.create(kind, id, body, parent)

    def update(self, kind: str, id: str, **changes: Any) -> Document:  # noqa: ANN401
        """Change members of a document and return the whole. Raises MissingDocumentError."""
        with self.transaction() as transaction:
            return transaction.update(kind, id, **changes)

    def get(self, kind: str, id: str) -> Document | None:
        """Return the document, or None."""
        with self._connect() as connection:
            return Transaction(connection).get(kind, id)

    def find(self, kind: str, parent: str | None = None) -> list[Document]:
        """Return the documents of a kind, oldest first, of one parent where given."""
        with self._connect() as connection:
            return Transaction(connection).find(kind, parent)

    def delete(self, kind: str, id: str) -> bool:
        """Remove a document; say whether it was there."""
        with self.transaction() as transaction:
            return transaction.delete(kind, id)


class Transaction:
    """The same verbs inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def create(self, kind: str, id: str, body: Mapping[str, Any], parent: str = "") -> None:
        """Add a document. Raises AlreadyExistsError."""
        try:
            self._connection.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM documents))",
                (kind, id, parent, json.dumps(body), time.time()),
            )
        except sqlite3.IntegrityError:
            raise AlreadyExistsError(f"{kind} {id} exists already") from None

    def update(self, kind: str, id: str, **changes: Any) -> Document:  # noqa: ANN401
        """Change members of a document and return the whole. Raises MissingDocumentError."""
        body = self.get(kind, id)
        if body is None:
            raise MissingDocumentError(f"{kind} {id} does not exist")
        body |= changes
        self._connection.execute("UPDATE documents SET body=? WHERE kind=? AND id=?", (json.dumps(body), kind, id))
        return body

    def get(self, kind: str, id: str) -> Document | None:
        """Return the document, or None."""
        row = self._connection.execute("SELECT body FROM documents WHERE kind=? AND id=?", (kind, id)).fetchone()
        return None if row is None else json.loads(row[0])

    def find(self, kind: str, parent: str | None = None) -> list[Document]:
        """Return the documents of a kind, oldest first, of one parent where given."""
        rows = self._connection.execute(
            "SELECT body FROM documents WHERE kind=?1 AND (?2 IS NULL OR parent=?2) ORDER BY sequence",
            (kind, parent),
        )
        return [json.loads(body) for (body,) in rows]

    def delete(self, kind: str, id: str) -> bool:
        """Remove a document; say whether it was there."""
        return self._connection.execute("DELETE FROM documents WHERE kind=? AND id=?", (kind, id)).rowcount > 0
