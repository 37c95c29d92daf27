"""A draw by lot is made once, and kept.

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_table("drawn_members")
    op.create_table(
        "draws",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("drawn_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draws")),
        sa.UniqueConstraint("name", name=op.f("uq_draws_name")),
    )
    op.create_table(
        "drawn_members",
        sa.Column("draw_id", BIG, nullable=False),
        sa.Column("member_id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.id"], name=op.f("fk_drawn_members_draw_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("draw_id", "member_id", name=op.f("pk_drawn_members")),
    )
    op.create_index(op.f("ix_drawn_members_member_id"), "drawn_members", ["member_id"])
    # In which of its blasts it is over to be counted as a person who did something the first time.
    op.add_column("blasts", sa.Column("forgotten_at", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("blasts", "forgotten_at")
    op.drop_table("drawn_members")
    op.drop_table("draws")
    op.create_table(
        "drawn_members",
        sa.Column("blast_id", BIG, nullable=False),
        sa.Column("member_id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["blast_id"], ["blasts.id"], name=op.f("fk_drawn_members_blast_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("blast_id", "member_id", name=op.f("pk_drawn_members")),
    )
