"""Who is erased leaves no event behind: what they did is added to sums of the blast, which name nobody.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "kept_sums",
        sa.Column("blast_id", BIG, autoincrement=False, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=False),
        sa.Column("brought", sa.Boolean(), nullable=False),
        sa.Column("acts", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("finished", sa.Integer(), nullable=False),
        sa.CheckConstraint("acts >= 0 AND people >= 0 AND finished >= 0", name=op.f("ck_kept_sums_sums")),
        sa.ForeignKeyConstraint(["blast_id"], ["blasts.id"], name=op.f("fk_kept_sums_blast_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("blast_id", "language", "kind", "machine", "brought", name=op.f("pk_kept_sums")),
    )


def downgrade() -> None:
    op.drop_table("kept_sums")
