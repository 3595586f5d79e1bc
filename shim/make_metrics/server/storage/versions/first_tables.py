"""The first version's tables, as they were then: `storage.tables` has them as they are now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "buckets",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day", "target", "cut", "kind", "bucket"),
        sqlite_with_rowid=False,
    )
    op.create_index("buckets_target", "buckets", ["project", "target", "day"], unique=False)
    op.create_table(
        "choices",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("is_test", sa.Text(), nullable=False),
        sa.Column("rest", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("project", "message_id"),
    )
    op.create_index("choices_person", "choices", ["project", "person"], unique=False)
    op.create_table(
        "cuts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("jobs", sa.SmallInteger(), nullable=False),
        sa.Column("on_default", sa.SmallInteger(), nullable=False),
        sa.Column("goal", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project", "system", "driver", "jobs", "on_default", "goal"),
    )
    op.create_table(
        "days",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.BigInteger(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.Column("own_ms", sa.BigInteger(), nullable=False),
        sa.Column("whole_ms", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("given_up", sa.BigInteger(), nullable=False),
        sa.Column("then_passed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day", "target", "person", "cut"),
        sqlite_with_rowid=False,
    )
    op.create_index("days_target", "days", ["project", "target", "day"], unique=False)
    op.create_table(
        "dirty_days",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "erased",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "digest"),
    )
    op.create_table(
        "events",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("own_ms", sa.BigInteger(), nullable=True),
        sa.Column("whole_ms", sa.BigInteger(), nullable=True),
        sa.Column("own_bucket", sa.SmallInteger(), nullable=True),
        sa.Column("whole_bucket", sa.SmallInteger(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("goal", sa.Boolean(), nullable=True),
        sa.Column("lines", sa.BigInteger(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("parallel", sa.Boolean(), nullable=True),
        sa.Column("jobs", sa.Integer(), nullable=True),
        sa.Column("on_default", sa.Boolean(), nullable=True),
        sa.Column("commit_s", sa.BigInteger(), nullable=True),
        sa.Column("commit_offset_min", sa.SmallInteger(), nullable=True),
        sa.Column("run", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("parent", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("version", sa.SmallInteger(), nullable=True),
        sa.Column("is_test", sa.Text(), nullable=False),
        sa.Column("rest", sa.Text(), nullable=True),
        sa.UniqueConstraint("project", "message_id", "started_us"),
        postgresql_partition_by="RANGE (started_us)",
    )
    op.create_index("events_person", "events", ["project", "person", "started_us"], unique=False)
    op.create_index("events_run", "events", ["project", "run"], unique=False)
    op.create_index("events_started", "events", ["project", "started_us"], unique=False)
    op.create_table(
        "facts",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day", "kind", "value", "person"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "names",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project", "name"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("anonymous_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("first_success_us", sa.BigInteger(), nullable=True),
        sa.Column("last_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project", "anonymous_id"),
    )
    op.create_index("people_first", "people", ["project", "first_us"], unique=False)
    op.create_table(
        "projects",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("retention_days", sa.Integer(), nullable=False),
        sa.Column("smallest_group", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "refused",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("property", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day", "property", "reason"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sessions_token"), "sessions", ["token"], unique=False)
    op.create_index(op.f("ix_sessions_until_us"), "sessions", ["until_us"], unique=False)
    op.create_table(
        "statuses",
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("target", sa.BigInteger(), nullable=False),
        sa.Column("cut", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("person", sa.BigInteger(), nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day", "target", "cut", "status", "person"),
        sqlite_with_rowid=False,
    )
    op.create_index("statuses_target", "statuses", ["project", "target", "day"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project", sa.BigInteger(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_tokens_project"), "tokens", ["project"], unique=False)
    op.create_table(
        "write_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("project", sa.BigInteger(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_write_keys_project"), "write_keys", ["project"], unique=False)
