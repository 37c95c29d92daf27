"""What the rules about machines look at is kept with each event, and a parcel of hits is recorded once.

Revision ID: 0042
Revises: 0041
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("agent", sa.String(), nullable=False, server_default=""))
    # What is known of earlier events is the verdict, and these named what had asked.
    op.execute("UPDATE events SET agent = machine WHERE machine IN ('prefetch', 'bot', 'head')")
    op.create_table(
        "recorded_parcels",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_recorded_parcels")),
    )
    op.create_index(op.f("ix_recorded_parcels_at"), "recorded_parcels", ["at"])


def downgrade() -> None:
    op.drop_table("recorded_parcels")
    op.drop_column("events", "agent")
