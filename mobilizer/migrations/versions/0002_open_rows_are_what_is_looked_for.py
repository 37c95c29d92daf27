"""Open rows are what is looked for: partial indexes, the size of a batch, and who carried a message where to.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN = sa.text("state IN ('pending', 'handing')")
NOT_SENT = sa.text("state IN ('rejected', 'skipped', 'uncertain')")


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("relay", sa.String(), nullable=True))
    op.add_column("deliveries", sa.Column("provider", sa.String(), nullable=True))
    op.add_column("batches", sa.Column("size", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE batches SET size = (SELECT count(*) FROM deliveries WHERE deliveries.batch_id = batches.id)")
    op.drop_index("ix_batches_blast", "batches")
    op.create_index("ix_batches_next", "batches", ["blast_id", "state", "language", "due_at"])
    op.drop_index("ix_deliveries_batch", "deliveries")
    op.drop_index("ix_deliveries_blast_state", "deliveries")
    op.create_index(
        "ix_deliveries_open", "deliveries", ["blast_id", "batch_id"], sqlite_where=OPEN, postgresql_where=OPEN
    )
    op.create_index(
        "ix_deliveries_not_sent",
        "deliveries",
        ["blast_id", "state", "reason", "language"],
        sqlite_where=NOT_SENT,
        postgresql_where=NOT_SENT,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_not_sent", "deliveries")
    op.drop_index("ix_deliveries_open", "deliveries")
    op.create_index("ix_deliveries_blast_state", "deliveries", ["blast_id", "state", "language"])
    op.create_index("ix_deliveries_batch", "deliveries", ["batch_id", "state"])
    op.drop_index("ix_batches_next", "batches")
    op.create_index("ix_batches_blast", "batches", ["blast_id", "state"])
    with op.batch_alter_table("batches") as table:
        table.drop_column("size")
    with op.batch_alter_table("deliveries") as table:
        table.drop_column("provider")
        table.drop_column("relay")
