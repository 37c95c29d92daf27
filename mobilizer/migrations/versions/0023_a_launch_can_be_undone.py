"""A launch can be undone for a while, and may need a second person.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BEFORE = "state IN ('draft', 'ready', 'scheduled', 'launching', 'sending', 'paused', 'held', 'sent', 'cancelled')"
AFTER = (
    "state IN ('draft', 'ready', 'asked', 'scheduled', 'leaving', 'launching', 'sending', 'paused', 'held',"
    " 'sent', 'cancelled')"
)


def upgrade() -> None:
    with op.batch_alter_table("blasts") as table:
        table.drop_constraint(op.f("ck_blasts_state"), type_="check")
        table.create_check_constraint(op.f("ck_blasts_state"), AFTER)
        table.add_column(sa.Column("asked_by_id", BIG, nullable=True))
        table.create_foreign_key(op.f("fk_blasts_asked_by_id"), "users", ["asked_by_id"], ["id"], ondelete="SET NULL")


def downgrade() -> None:
    # Who has not left yet has frozen nobody: a person launches them anew.
    op.execute("UPDATE blasts SET state = 'draft', scheduled_at = NULL WHERE state IN ('asked', 'leaving')")
    with op.batch_alter_table("blasts") as table:
        table.drop_constraint(op.f("fk_blasts_asked_by_id"), type_="foreignkey")
        table.drop_column("asked_by_id")
        table.drop_constraint(op.f("ck_blasts_state"), type_="check")
        table.create_check_constraint(op.f("ck_blasts_state"), BEFORE)
