"""The name of an imported file may name a person: it is sealed. An import can be undone.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BEFORE = "state IN ('uploaded', 'running', 'done', 'failed')"
AFTER = "state IN ('uploaded', 'running', 'done', 'failed', 'undoing', 'undone')"


def upgrade() -> None:
    # The keys are not at hand here: the names of files that were imported before are forgotten.
    change(AFTER, sa.Column("sealed_name", sa.LargeBinary(), nullable=True), "filename")


def downgrade() -> None:
    op.execute("UPDATE imports SET state = 'failed' WHERE state IN ('undoing', 'undone')")
    change(BEFORE, sa.Column("filename", sa.String(), nullable=False, server_default=""), "sealed_name")


def change(states: str, column: sa.Column[Any], gone: str) -> None:
    """Put one column in the place of another, and other states in the place of those there were."""
    with op.batch_alter_table("imports") as table:
        table.drop_constraint(op.f("ck_imports_state"), type_="check")
        table.create_check_constraint(op.f("ck_imports_state"), states)
        table.add_column(column)
        table.drop_column(gone)
