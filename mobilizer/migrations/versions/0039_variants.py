"""An appeal has variants, a part of the audience gets them, and the rest waits for the one that does best.

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

WORDS = tuple(f"{name}_{variant}" for variant in "bcd" for name in ("subject", "opening"))
BEFORE, AFTER = "kind IN ('zone', 'rest', 'language')", "kind IN ('zone', 'rest', 'language', 'winner')"
NEXT = "ix_batches_next"


def upgrade() -> None:
    with op.batch_alter_table("translations") as table:
        for name in WORDS:
            table.add_column(sa.Column(name, sa.String(), nullable=False, server_default=""))
    with op.batch_alter_table("renditions") as table:
        table.add_column(sa.Column("variant", sa.String(), nullable=False, server_default="a"))
        table.drop_constraint(op.f("pk_renditions"), type_="primary")
        table.create_primary_key(op.f("pk_renditions"), ["blast_id", "language", "variant"])
    with op.batch_alter_table("batches") as table:
        table.add_column(sa.Column("variant", sa.String(), nullable=False, server_default="a"))
        table.drop_index(NEXT)
        table.create_index(NEXT, ["blast_id", "state", "language", "variant", "due_at"])
    with op.batch_alter_table("waves") as table:
        table.drop_constraint(op.f("ck_waves_kind"), type_="check")
        table.create_check_constraint(op.f("ck_waves_kind"), AFTER)
        table.add_column(sa.Column("cuts", sa.JSON(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("winner", sa.String(), nullable=False, server_default=""))
        table.add_column(sa.Column("found", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    # Who waits for a winner would go to nobody: such blasts come to their end first.
    op.execute(
        "UPDATE batches SET state = 'open' WHERE wave IN (SELECT n FROM waves WHERE kind = 'winner'"
        " AND waves.blast_id = batches.blast_id) AND state = 'held'"
    )
    op.execute("DELETE FROM waves WHERE kind = 'winner'")
    op.execute("DELETE FROM renditions WHERE variant <> 'a'")
    with op.batch_alter_table("waves") as table:
        table.drop_column("found")
        table.drop_column("winner")
        table.drop_column("cuts")
        table.drop_constraint(op.f("ck_waves_kind"), type_="check")
        table.create_check_constraint(op.f("ck_waves_kind"), BEFORE)
    with op.batch_alter_table("batches") as table:
        table.drop_index(NEXT)
        table.create_index(NEXT, ["blast_id", "state", "language", "due_at"])
        table.drop_column("variant")
    with op.batch_alter_table("renditions") as table:
        table.drop_constraint(op.f("pk_renditions"), type_="primary")
        table.create_primary_key(op.f("pk_renditions"), ["blast_id", "language"])
        table.drop_column("variant")
    with op.batch_alter_table("translations") as table:
        for name in reversed(WORDS):
            table.drop_column(name)
