"""An organisation says which languages it works in and what each falls back to; a blast keeps what held at its launch.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "working_languages",
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("falls_back_to", sa.String(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_working_languages")),
    )
    op.add_column("blasts", sa.Column("fallbacks", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("blasts") as table:
        table.drop_column("fallbacks")
    op.drop_table("working_languages")
