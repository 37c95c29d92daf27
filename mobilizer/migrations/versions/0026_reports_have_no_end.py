"""A report has a row for each row that has something to say, and the names of a file's columns are sealed.

Reports that were kept until now go, and so do the names of columns that lay in clear: no key is at hand here.

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_IMPORTS = sa.table("imports", sa.column("id", BIG), sa.column("options", sa.JSON()))


def upgrade() -> None:
    op.create_table(
        "import_report_rows",
        sa.Column("import_id", BIG, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_report_rows_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_report_rows")),
    )
    op.create_index(op.f("ix_import_report_rows_address_key"), "import_report_rows", ["address_key"])
    op.drop_column("imports", "problems")
    op.add_column("imports", sa.Column("sealed_header", sa.LargeBinary(), nullable=True))
    connection = op.get_bind()
    for number, options in connection.execute(sa.select(_IMPORTS.c.id, _IMPORTS.c.options)).all():
        kept = {name: value for name, value in options.items() if name != "header"}
        counted = {**kept, "width": len(options.get("header", ()))}
        connection.execute(sa.update(_IMPORTS).where(_IMPORTS.c.id == number).values(options=counted))


def downgrade() -> None:
    op.drop_column("imports", "sealed_header")
    op.add_column("imports", sa.Column("problems", sa.LargeBinary(), nullable=True))
    op.drop_table("import_report_rows")
