"""An event says how often: what is alike and of one moment is one row.

Revision ID: 0043
Revises: 0042
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

BEFORE = ("blast_id", "step", "kind", "machine", "channel")


def upgrade() -> None:
    op.add_column("events", sa.Column("times", sa.Integer(), nullable=False, server_default="1"))
    _index(*BEFORE, "times")


def downgrade() -> None:
    _index(*BEFORE)
    op.drop_column("events", "times")


def _index(*columns: str) -> None:
    stepped = sa.text("step IS NOT NULL")
    op.drop_index("ix_events_step", "events")
    op.create_index("ix_events_step", "events", columns, sqlite_where=stepped, postgresql_where=stepped)
