"""Who can't be mailed is kept ahead with the headcounts: millions are counted without looking through all lists.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "unmailable",
        sa.Column("member_id", BIG, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_unmailable")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_members_number", "members", ["id"], postgresql_include=["language"])
    # What is kept so far says nothing of it: all is counted anew.
    op.execute("DELETE FROM headcounts")
    op.execute("DELETE FROM counted_stretches WHERE stretch >= 0")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_members_number", "members")
    op.drop_table("unmailable")
