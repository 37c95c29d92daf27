"""Who joined through whose share link, and how many steps from the mail.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("sign_ups", sa.Column("channel", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "recruits",
        sa.Column("id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=True),
        sa.Column("via_id", BIG, nullable=True),
        sa.Column("blast_id", BIG, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("via_language", sa.String(), nullable=False),
        sa.Column("via_country", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("joined_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_recruits_member_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["via_id"], ["members.id"], name=op.f("fk_recruits_via_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["blast_id"], ["blasts.id"], name=op.f("fk_recruits_blast_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recruits")),
        sa.UniqueConstraint("member_id", name=op.f("uq_recruits_member_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recruits_blast", "recruits", ["blast_id", "generation"])
    op.create_index(op.f("ix_recruits_via_id"), "recruits", ["via_id"])


def downgrade() -> None:
    op.drop_table("recruits")
    op.drop_column("sign_ups", "channel")
