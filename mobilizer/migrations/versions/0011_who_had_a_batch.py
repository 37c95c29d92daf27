"""Who had a batch under which epoch stays known: a message whose worker was lost names that worker.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("batch_id", BIG, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_leases_batch_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch_id", "epoch", name=op.f("pk_leases")),
    )
    # Of those before nobody knows any more.
    op.execute(
        "INSERT INTO leases (batch_id, epoch, owner, taken_at) "
        "SELECT id, epoch, owner, due_at FROM batches WHERE epoch > 0"
    )


def downgrade() -> None:
    op.drop_table("leases")
