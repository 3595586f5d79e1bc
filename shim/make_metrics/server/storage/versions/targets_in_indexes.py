"""PostgreSQL: the page of one target reads indexes alone. Its rows lie in as many pages of the tables as there are."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make both indexes again, with what is read. SQLite reads others."""
    if op.get_context().dialect.name != "postgresql":
        return
    op.drop_index("buckets_target", "buckets")
    op.create_index(
        "buckets_target",
        "buckets",
        ["project", "target", "kind", "day"],
        postgresql_include=["cut", "bucket", "runs"],
    )
    op.drop_index("days_target", "days")
    included = ["person", "cut", "runs", "failures", "given_up", "then_passed"]
    op.create_index("days_target", "days", ["project", "target", "day"], postgresql_include=included)
