"""What an import did to each member is remembered for some days, so that it can be undone.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "import_traces",
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("member_id", BIG, nullable=False),
        sa.Column("added", sa.Boolean(), nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("changed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_traces_import_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("fk_import_traces_member_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "member_id", name=op.f("pk_import_traces")),
    )
    # Whoever is erased takes their traces along.
    op.create_index("ix_import_traces_member", "import_traces", ["member_id"])


def downgrade() -> None:
    op.drop_table("import_traces")
