"""Roll-ups by the week, and which weeks have to be made: all that there are days of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables. A receiver makes the weeks beside its work."""
    _table("weeks", ("week",), sa.Column("spoiled_us", sa.BigInteger(), nullable=True))
    _table(
        "week_people",
        ("week", "target", "person"),
        sa.Column("ran", sa.SmallInteger(), nullable=False),
        sa.Column("passed", sa.SmallInteger(), nullable=False),
    )
    sums = ("runs", "own_ms", "waited_ms", "failures", "given_up", "then_passed")
    _table(
        "week_targets",
        ("week", "day", "target"),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
    )
    _table("week_buckets", ("kind", "week", "target", "bucket"), sa.Column("runs", sa.BigInteger(), nullable=False))
    op.execute("INSERT INTO weeks (project, week, spoiled_us) SELECT DISTINCT project, day / 7, 0 FROM days")


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
