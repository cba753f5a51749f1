"""Keys that can be changed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "marks",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.create_table(
        "shared_deceased",
        sa.Column("jurisdiction", sa.String(length=16), nullable=False),
        sa.Column("deceased_index", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("jurisdiction", "deceased_index", name=op.f("pk_shared_deceased")),
    )
    with op.batch_alter_table("shared_deceased", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shared_deceased_number"), ["number"], unique=False)

    op.execute(
        "INSERT INTO shared_deceased (jurisdiction, deceased_index, number) "
        "SELECT jurisdiction, deceased_index, number FROM shared_records"
    )
    with op.batch_alter_table("family", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_family_number"), ["number"], unique=False)

    with op.batch_alter_table("open_deceased", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_open_deceased_number"), ["number"], unique=False)

    with op.batch_alter_table("shared_records", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shared_records_jurisdiction_deceased_index"))
        batch_op.drop_column("deceased_index")
