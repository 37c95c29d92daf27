"""Two records of one person are merged; what is left of the one leads to the other.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "merged_members",
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("into_id", BIG, nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("share_code", sa.String(), nullable=False),
        sa.Column("dropped", sa.JSON(), nullable=False),
        sa.Column("merged_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["into_id"], ["members.id"], name=op.f("fk_merged_members_into_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_merged_members")),
        sa.UniqueConstraint("address_key", name=op.f("uq_merged_members_address_key")),
        sa.UniqueConstraint("share_code", name=op.f("uq_merged_members_share_code")),
    )
    op.create_index(op.f("ix_merged_members_into_id"), "merged_members", ["into_id"])


def downgrade() -> None:
    op.drop_table("merged_members")
