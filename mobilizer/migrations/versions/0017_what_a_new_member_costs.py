"""A new member costs less: thousands of traces in one row, no rows beside a key, no index of who came by themselves.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RECRUITED = sa.text("recruited_by_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "import_spans",
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("first_id", BIG, nullable=False),
        sa.Column("last_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_spans_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "first_id", name=op.f("pk_import_spans")),
    )
    op.drop_index("ix_members_recruited_by_id", "members")
    op.create_index(
        "ix_members_recruited_by_id",
        "members",
        ["recruited_by_id"],
        sqlite_where=RECRUITED,
        postgresql_where=RECRUITED,
    )
    with op.batch_alter_table("subscriptions", table_kwargs={"sqlite_with_rowid": False}, recreate=_recreate()):
        pass


def downgrade() -> None:
    with op.batch_alter_table("subscriptions", table_kwargs={"sqlite_with_rowid": True}, recreate=_recreate()):
        pass
    op.drop_index("ix_members_recruited_by_id", "members")
    op.create_index("ix_members_recruited_by_id", "members", ["recruited_by_id"])
    op.drop_table("import_spans")


def _recreate() -> Literal["always", "never"]:
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"
