"""Since when a key seals: it must have for a while before the one ahead of it is given up.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("key_prints", sa.Column("since", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("key_prints", "since")
