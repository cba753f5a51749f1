"""Copies of one real case, row by row, sealed and chained as the gateway would: a full database in minutes.

What the gateway wrote for the case, the durable engine's rows and the department's own books included, is written again
under other numbers and for other deceased; everything else is as it was.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, MetaData, Table, insert, select

from benchmarks.chaos.load import People
from gateway.domain.identity import canonical
from gateway.store import ledger
from gateway.store import tables as t
from gateway.store.proof import commitment
from gateway.store.seal import Seal

BATCH = 200
Row = dict[str, Any]


class Model:
    """Every row of one case; ``deceased``: the ID number."""

    def __init__(self, engine: Engine, seal: Seal, number: str, deceased: str, work: str) -> None:
        self.engine, self.seal, self.number, self.deceased = engine, seal, number, deceased
        self.people = People(random.Random(0), deceased)
        schema, _, name = work.rpartition(".")
        self.work = Table(name, MetaData(), schema=schema or None, autoload_with=engine)
        self.rows: dict[Table, list[Row]] = {}
        by_number = [
            table for table in t.metadata.sorted_tables if "number" in table.c and table is not t.shared_records
        ]
        with engine.connect() as connection:

            def read(table: Table, condition: Any) -> None:
                self.rows[table] = [dict(row) for row in connection.execute(select(table).where(condition)).mappings()]

            for table in by_number:
                read(table, table.c.number == number)
            self.rows[t.ledger].sort(key=lambda row: row["seq"])
            read(t.messages, t.messages.c.id.in_([row["id"] for row in self.rows[t.message_items]]))
            read(t.records, t.records.c.key.startswith(number))
            read(self.work, self.work.c.workflow_uuid.contains(number))
        self._plain = {
            self._of(table, row, part): seal.open(row[part], self._of(table, row, part))
            for table, rows in self.rows.items()
            for row in rows
            for part in _sealed(table)
            if row[part] is not None
        }

    def copy(self, numbers: Iterable[str]) -> None:
        """Writes one copy for each number."""
        numbers = list(numbers)
        for start in range(0, len(numbers), BATCH):
            made = [self._copy(number) for number in numbers[start : start + BATCH]]
            with self.engine.begin() as connection:
                for table in self.rows:
                    rows = [row for one in made for row in one[table]]
                    if rows:
                        connection.execute(insert(table), rows)

    def _copy(self, number: str) -> dict[Table, list[Row]]:
        person, head = self.people.like(self.deceased), ledger.START
        copies = {table: [self._row(table, row, number, person) for row in rows] for table, rows in self.rows.items()}
        for row in copies[t.ledger]:
            plain = self.seal.open(row["body"], self._of(t.ledger, row, "body"))
            row["content"] = commitment(plain[: ledger.SALT_BYTES], plain[ledger.SALT_BYTES :])
            row["previous"], row["hash"] = head, ledger.hash_of(head, row)
            head = str(row["hash"])
        for row in [*copies[t.cases], *copies[t.unanchored]]:
            row["head"] = head
        for row in copies[t.cases]:
            row["deceased_index"] = self.seal.indexes("id", canonical(person))[0]
        for row in copies[t.open_deceased]:
            row["deceased_index"] = self.seal.indexes("deceased", row["jurisdiction"], canonical(person))[0]
        return copies

    def _row(self, table: Table, row: Row, number: str, person: str) -> Row:
        made = {
            name: value.replace(self.number, number) if isinstance(value, str) else value for name, value in row.items()
        }
        if table is t.submissions:
            made["key"] = f"{row['key']}-{number}"
        if table in (t.messages, t.message_items):
            made["id"] = f"{row['id'][:16]}{number[-16:]}"[-32:]
        for part in _sealed(table):
            if row[part] is not None:
                plain = self._plain[self._of(table, row, part)].replace(self.number.encode(), number.encode())
                plain = plain.replace(self.deceased.encode(), person.encode())
                made[part] = self.seal.close(plain, self._of(table, made, part))
                if table is t.messages:
                    made[f"{part}_sha256"] = hashlib.sha256(plain.partition(b"\n")[2]).hexdigest()
        return made

    @staticmethod
    def _of(table: Table, row: Row, part: str) -> str:
        """The row a sealed value is bound to."""
        if table is t.ledger:
            return f"ledger:{row['number']}:{row['seq']}"
        if table is t.write_backs:
            return f"write_back:{row['department']}:{row['number']}:{row['slug']}:{row['serial']}"
        if table is t.messages:
            return f"message:{row['id']}:{row['part']}:{part}"
        return f"record:{row['key']}" if table is t.records else f"case:{row['number']}"


def _sealed(table: Table) -> tuple[str, ...]:
    if table is t.messages:
        return ("request", "answer")
    return ("body",) if table in (t.cases, t.ledger, t.write_backs, t.records) else ()


def books(file: Path, old: str, numbers: Iterable[str]) -> int:
    """Copies a department's applications of one case; the department must not run.  Returns how many it has then."""
    connection = sqlite3.connect(file)
    with connection:
        query = "SELECT key, reference, state, updated, body FROM application WHERE key LIKE ?"
        rows = connection.execute(query, (f"{old}.%",)).fetchall()
        for number in numbers:
            for key, reference, state, updated, body in rows:
                own = f"{reference}{number[-7:]}"
                text = json.dumps({**json.loads(body.replace(old, number)), "reference": own}, ensure_ascii=False)
                row = (key.replace(old, number), own, state, updated, text)
                connection.execute("INSERT INTO application VALUES (?,?,?,?,?)", row)
        (count,) = connection.execute("SELECT COUNT(*) FROM application").fetchone()
    connection.close()
    return int(count)
