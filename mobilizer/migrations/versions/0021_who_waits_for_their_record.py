"""Who asked for their record and waits for the mail with the link.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.db import Instant

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "record_requests",
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_record_requests_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_record_requests")),
    )
    op.create_index(op.f("ix_record_requests_asked_at"), "record_requests", ["asked_at"])
    op.create_index(op.f("ix_record_requests_next_at"), "record_requests", ["next_at"])


def downgrade() -> None:
    op.drop_table("record_requests")
