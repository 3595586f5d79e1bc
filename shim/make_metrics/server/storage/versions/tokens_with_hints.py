"""Viewing tokens have a hint; on SQLite the number of whoever was erased is not given to somebody else.

A token that is there gets its hint when it lets somebody in: its secret is not known here.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_PEOPLE = "id, project, anonymous_id, first_us, first_success_us, last_us"
_NAMES = "id, project, name"
_CUTS = "id, project, system, driver, jobs, on_default, goal"
# Where a person's number may still stand, though the person is gone.
_WITH_PERSON = ("events", "choices", "days", "statuses", "facts")


def upgrade() -> None:
    """Add the column; make the tables again whose rows have numbers: SQLite cannot change how a column is numbered."""
    op.add_column("tokens", sa.Column("hint", sa.LargeBinary(), nullable=True))
    if op.get_context().dialect.name != "sqlite":
        return
    _make("people", _PEOPLE,
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("anonymous_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("first_success_us", sa.BigInteger(), nullable=True),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("project", "anonymous_id"),
    )  # fmt: skip
    op.create_index("people_first", "people", ["project", "first_us"], unique=False)
    _make("names", _NAMES,
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.UniqueConstraint("project", "name"),
    )  # fmt: skip
    _make("cuts", _CUTS,
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("jobs", sa.SmallInteger(), nullable=False),
        sa.Column("on_default", sa.SmallInteger(), nullable=False),
        sa.Column("goal", sa.SmallInteger(), nullable=False),
        sa.UniqueConstraint("project", "system", "driver", "jobs", "on_default", "goal"),
    )  # fmt: skip
    for table in _WITH_PERSON:
        _begin_after("people", f"SELECT max(person) FROM {table}")


def _make(table: str, columns: str, *parts: sa.Column[object] | sa.UniqueConstraint) -> None:
    number = sa.Column("id", sa.Integer(), nullable=False)
    op.create_table(f"numbered_{table}", number, *parts, sa.PrimaryKeyConstraint("id"), sqlite_autoincrement=True)
    # With no row there is no number from which SQLite would go on.
    op.execute(f"INSERT INTO sqlite_sequence (name, seq) VALUES ('numbered_{table}', 0)")
    op.execute(f"INSERT INTO numbered_{table} ({columns}) SELECT {columns} FROM {table}")
    op.drop_table(table)
    op.rename_table(f"numbered_{table}", table)


def _begin_after(table: str, number: str) -> None:
    """Give only numbers above this one, too."""
    op.execute(f"UPDATE sqlite_sequence SET seq = max(seq, coalesce(({number}), 0)) WHERE name = '{table}'")
