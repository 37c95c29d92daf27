"""Lists and blasts say how much is counted, and whether mails and pages keep the cause to themselves; a member may
turn tracking off.

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.codes import share_code

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

COVERS = ("discreet_sender", "discreet_subject", "discreet_preheader")


def upgrade() -> None:
    op.add_column("members", sa.Column("tracking", sa.Boolean(), nullable=False, server_default=sa.true()))
    for table in ("lists", "blasts"):
        op.add_column(table, sa.Column("tracking", sa.String(), nullable=False, server_default="pseudonymous"))
        op.add_column(table, sa.Column("discreet", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("blasts", sa.Column("frozen_tracking", sa.String(), nullable=False, server_default=""))
    op.add_column("blasts", sa.Column("frozen_discreet", sa.Boolean(), nullable=False, server_default=sa.false()))
    # What has left was counted by member.
    op.execute("UPDATE blasts SET frozen_tracking = 'pseudonymous' WHERE launched_at IS NOT NULL")
    op.add_column("renditions", sa.Column("untracked", sa.String(), nullable=False, server_default=""))
    for name in COVERS:
        op.add_column("translations", sa.Column(name, sa.String(), nullable=False, server_default=""))
    _name_appeals()


def _name_appeals() -> None:
    """Each appeal gets a name that says nothing of it."""
    op.add_column("appeals", sa.Column("code", sa.String(), nullable=True))
    appeals = sa.table("appeals", sa.column("id"), sa.column("code"))
    connection = op.get_bind()
    for number in connection.scalars(sa.select(appeals.c.id)).all():
        connection.execute(sa.update(appeals).where(appeals.c.id == number).values(code=share_code()))
    with op.batch_alter_table("appeals") as table:
        table.alter_column("code", existing_type=sa.String(), nullable=False)
        table.create_unique_constraint("uq_appeals_code", ["code"])


def downgrade() -> None:
    with op.batch_alter_table("appeals") as table:
        table.drop_constraint("uq_appeals_code", type_="unique")
        table.drop_column("code")
    for name in reversed(COVERS):
        op.drop_column("translations", name)
    op.drop_column("renditions", "untracked")
    for name in ("frozen_discreet", "frozen_tracking"):
        op.drop_column("blasts", name)
    for table_name in ("blasts", "lists"):
        op.drop_column(table_name, "discreet")
        op.drop_column(table_name, "tracking")
    op.drop_column("members", "tracking")
