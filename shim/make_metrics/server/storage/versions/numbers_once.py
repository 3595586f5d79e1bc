"""SQLite: the number of a deleted project is not given to another one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of projects again: SQLite cannot change how a column is numbered."""
    if op.get_context().dialect.name != "sqlite":
        return
    op.create_table(
        "numbered_projects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("smallest_group", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    columns = "id, name, created_us, disabled, retention_days, smallest_group"
    op.execute(f"INSERT INTO numbered_projects ({columns}) SELECT {columns} FROM projects")
    op.drop_table("projects")
    op.rename_table("numbered_projects", "projects")
