"""The rehearsal of a large file is a job's work.

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "import_rehearsals",
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_rehearsals_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_import_rehearsals")),
    )


def downgrade() -> None:
    op.drop_table("import_rehearsals")
