"""Whom a blast that draws by lot goes to is kept while its audience is frozen.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "drawn_members",
        sa.Column("blast_id", BIG, nullable=False),
        sa.Column("member_id", BIG, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["blast_id"], ["blasts.id"], name=op.f("fk_drawn_members_blast_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("blast_id", "member_id", name=op.f("pk_drawn_members")),
    )


def downgrade() -> None:
    op.drop_table("drawn_members")
