"""What came by a link on a day is found by an index: whether a crowd did is asked as it comes.

Revision ID: 0044
Revises: 0043
"""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

INDEX = "ix_events_via"


def upgrade() -> None:
    op.drop_index(INDEX, "events")
    op.create_index(INDEX, "events", ["via_id", "kind", "at"])


def downgrade() -> None:
    op.drop_index(INDEX, "events")
    op.create_index(INDEX, "events", ["via_id", "kind"])
