"""Roll-ups by the week and cut; all weeks have to be made again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables. A receiver makes the weeks beside its work; until then pages read the days."""
    _table(
        "week_cut_people",
        ("week", "cut", "target", "person"),
        sa.Column("ran", sa.SmallInteger(), nullable=False),
        sa.Column("passed", sa.SmallInteger(), nullable=False),
    )
    sums = ("runs", "own_ms", "waited_ms", "failures", "given_up", "then_passed")
    _table(
        "week_cut_targets",
        ("week", "cut", "target", "day"),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
    )
    runs = sa.Column("runs", sa.BigInteger(), nullable=False)
    _table("week_cut_buckets", ("kind", "week", "cut", "target", "bucket"), runs)
    op.execute("UPDATE weeks SET spoiled_us = 0")


_TYPES: dict[str, type[sa.Integer]] = {
    "week": sa.Integer,
    "day": sa.Integer,
    "kind": sa.SmallInteger,
    "bucket": sa.SmallInteger,
}


def _table(name: str, key: tuple[str, ...], *columns: sa.Column[int]) -> None:
    keys = [sa.Column(column, _TYPES.get(column, sa.BigInteger)(), nullable=False) for column in ("project", *key)]
    constraint = sa.PrimaryKeyConstraint("project", *key)
    op.create_table(name, *keys, *columns, constraint, sqlite_with_rowid=False)
