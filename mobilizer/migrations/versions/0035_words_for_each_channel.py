"""Words for sharing may differ by channel, and an appeal says why to sign up.

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

FIELDS = ("share_whatsapp", "share_email", "share_sms", "join_text")


def upgrade() -> None:
    with op.batch_alter_table("translations") as table:
        for name in FIELDS:
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("translations") as table:
        for name in reversed(FIELDS):
            table.drop_column(name)
