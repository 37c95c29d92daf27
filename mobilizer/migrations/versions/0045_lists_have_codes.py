"""A list has a code, which names it in addresses that must not say which it is; a request for a record says whether its
mail must not say whose it is.

Revision ID: 0045
Revises: 0044
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mobilizer.codes import share_code

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("record_requests", sa.Column("discreet", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("lists", sa.Column("code", sa.String(), nullable=False, server_default=""))
    lists = sa.table("lists", sa.column("id"), sa.column("code"))
    connection = op.get_bind()
    for number in connection.scalars(sa.select(lists.c.id)).all():
        connection.execute(sa.update(lists).where(lists.c.id == number).values(code=share_code()))
    # No constraint of the table: for that SQLite makes it anew, and whoever is on a list goes with the old one.
    op.create_index("ix_lists_code", "lists", ["code"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_lists_code", "lists")
    op.drop_column("lists", "code")
    op.drop_column("record_requests", "discreet")
