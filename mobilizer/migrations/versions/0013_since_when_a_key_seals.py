"""Since when a key seals: it must have for a while before the one ahead of it is given up.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("key_prints", sa.Column("since", Instant(), nullable=True))


def downgrade() -> None:
    op.drop_column("key_prints", "since")
