"""A film has a language, and how far it was watched is told in hundredths.

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_WATCHED = "UPDATE events SET channel = '{}' WHERE kind = 'watch' AND channel = '{}'"


def upgrade() -> None:
    with op.batch_alter_table("appeals") as table:
        table.add_column(sa.Column("video_language", sa.String(), nullable=False, server_default=""))
    op.execute(_WATCHED.format("95", "complete"))


def downgrade() -> None:
    op.execute(_WATCHED.format("complete", "95"))
    with op.batch_alter_table("appeals") as table:
        table.drop_column("video_language")
