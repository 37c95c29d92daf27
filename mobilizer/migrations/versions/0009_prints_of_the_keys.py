"""The database knows its keys by their prints: whoever comes with others is refused, before anybody is skipped.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_prints",
        sa.Column("key_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("print", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_key_prints")),
    )


def downgrade() -> None:
    op.drop_table("key_prints")
