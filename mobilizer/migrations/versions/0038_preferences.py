"""A member has fewer mails, or none for a while, and says why they left; what comes of their link need not be counted.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "preferences",
        _member("preferences"),
        sa.Column("monthly", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("paused_until", Instant(), nullable=True),
        sa.Column("uncounted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_preferences")),
    )
    op.create_table(
        "leaving_reasons",
        _member("leaving_reasons"),
        sa.Column("choice", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False, index=True),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_leaving_reasons")),
    )


def downgrade() -> None:
    op.drop_table("leaving_reasons")
    op.drop_table("preferences")


def _member(table: str) -> sa.Column[int]:
    key = sa.ForeignKey("members.id", name=op.f(f"fk_{table}_member_id"), ondelete="CASCADE")
    return sa.Column("member_id", BIG, key, nullable=False, autoincrement=False)
