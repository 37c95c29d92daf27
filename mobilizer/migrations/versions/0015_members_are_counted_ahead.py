"""Members are counted ahead, by stretches of their numbers: a page that says how many there are opens at once.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "counted_stretches",
        sa.Column("stretch", BIG, autoincrement=False, nullable=False),
        sa.Column("counted_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("stretch", name=op.f("pk_counted_stretches")),
    )
    op.create_table(
        "headcounts",
        sa.Column("stretch", BIG, autoincrement=False, nullable=False),
        sa.Column("list_id", BIG, autoincrement=False, nullable=False),
        sa.Column("standing", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("stretch", "list_id", "standing", "language", name=op.f("pk_headcounts")),
    )
    op.execute("INSERT INTO counted_stretches (stretch, counted_at) VALUES (-1, CURRENT_TIMESTAMP)")


def downgrade() -> None:
    op.drop_table("headcounts")
    op.drop_table("counted_stretches")
