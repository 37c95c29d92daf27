"""Whom the file of an import names that were on its list already.

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "import_mentions",
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("first_id", BIG, nullable=False),
        sa.Column("last_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_mentions_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "first_id", "last_id", name=op.f("pk_import_mentions")),
    )


def downgrade() -> None:
    op.drop_table("import_mentions")
