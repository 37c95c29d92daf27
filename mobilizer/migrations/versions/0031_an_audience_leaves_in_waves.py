"""An audience leaves in waves: by time zone, a few people first, a language when it is ready.

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE, AFTER = "state IN ('open', 'leased', 'done')", "state IN ('held', 'open', 'leased', 'done')"


def upgrade() -> None:
    with op.batch_alter_table("blasts") as table:
        table.add_column(sa.Column("waits", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("departure", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("batches") as table:
        table.drop_constraint(op.f("ck_batches_state"), type_="check")
        table.create_check_constraint(op.f("ck_batches_state"), AFTER)
        table.add_column(sa.Column("wave", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("otherwise", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("otherwise_by", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "waves",
        sa.Column("blast_id", BIG, nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("below", BIG, nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_for", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('zone', 'rest', 'language')", name=op.f("ck_waves_kind")),
        sa.ForeignKeyConstraint(["blast_id"], ["blasts.id"], name=op.f("fk_waves_blast_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("blast_id", "n", name=op.f("pk_waves")),
    )


def downgrade() -> None:
    # What waits would go to who chose to wait: such blasts come to their end first.
    op.drop_table("waves")
    op.execute("UPDATE batches SET state = 'open' WHERE state = 'held'")
    with op.batch_alter_table("batches") as table:
        table.drop_column("otherwise_by")
        table.drop_column("otherwise")
        table.drop_column("wave")
        table.drop_constraint(op.f("ck_batches_state"), type_="check")
        table.create_check_constraint(op.f("ck_batches_state"), BEFORE)
    with op.batch_alter_table("blasts") as table:
        table.drop_column("departure")
        table.drop_column("waits")
