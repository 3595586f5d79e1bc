"""SQLite: an index from which histograms are read in the order in which they are grouped.

SQLite sorts all rows of a period to group them, which took most of a page's time. The index before it was for one
target. PostgreSQL groups without sorting, and keeps that one.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the one, drop the other."""
    if op.get_context().dialect.name == "sqlite":
        columns = ["project", "kind", "target", "bucket", "day", "cut", "runs"]
        op.create_index("buckets_kind", "buckets", columns, unique=False)
        op.drop_index("buckets_target", "buckets")
