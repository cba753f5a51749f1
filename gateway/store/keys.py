"""Whether the keys of a process are those of its database, found out before it serves."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from sqlalchemy import select

from gateway.store import reseal
from gateway.store.seal import UnknownKey
from gateway.store.session import Database
from gateway.store.tables import marks
from gateway.store.upsert import upsert


class WrongKeys(Exception):
    """A key is not the one this database knows by that name; the message names it."""


def must_fit(database: Database) -> None:
    """Raises ``WrongKeys``.  The first process that has a key leaves the mark that later ones are compared with.

    The oldest index key has a mark of its own: without it families would lose their cases.  A database without marks
    is new, or of release 0.1.0, whose indexes nobody looks for any more: it is indexed anew first.
    """
    with database.read() as tx:
        marked = tx.connection.execute(select(marks.c.name).limit(1)).first() is not None
    if not marked:
        try:
            reseal.rotate(database)
        except (UnknownKey, InvalidTag) as error:
            raise WrongKeys("the data keys are not those this database was made with") from error
    for name, value in database.seal.marks().items():
        with database.write() as tx:
            upsert(tx, marks, {"name": name, "value": value})
            known = tx.connection.execute(select(marks.c.value).where(marks.c.name == name)).scalar_one()
        if known != value:
            raise WrongKeys(f"{name} is not the one this database was made with")
