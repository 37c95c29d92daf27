"""Members carry tags.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("folded", name=op.f("uq_tags_folded")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "member_tags",
        sa.Column("tag_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_member_tags_tag_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_member_tags_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tag_id", "member_id", name=op.f("pk_member_tags")),
    )
    op.create_index("ix_member_tags_member", "member_tags", ["member_id", "tag_id"])


def downgrade() -> None:
    op.drop_table("member_tags")
    op.drop_table("tags")
