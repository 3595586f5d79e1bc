"""The receiver's tables, the same on SQLite and PostgreSQL.

Times end in `_us`: microseconds since 1970 in UTC. A `day` is a whole number of days since then, in UTC. Durations end
in `_ms`. An id is a UUID as text with hyphens. Every row belongs to one project, and every query names it.

`EVENTS` holds what came in. The pages read `ROLL_UPS`, which `storage.rollups` makes from it, so that a page's cost
does not depend on the number of events. Test data (`is_test` other than "no") is not in these.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

METADATA = MetaData()
DAY_US = 86_400_000_000
RETENTION_DAYS = 365  # of a new project

# SQLite numbers only rows whose key is exactly INTEGER.
_ROW = BigInteger().with_variant(Integer(), "sqlite")
_ID = Uuid(as_uuid=False)

# A number is never given again, in no table (SQLite would, without `autoincrement`): what is on its way to a deleted
# project, or was made of an erased person, must not meet another one. `retention_days`: events that began longer ago
# are deleted. `smallest_group`: a cell of a page that fewer people stand behind is not shown; 0 shows all.
PROJECTS = Table(
    "projects",
    METADATA,
    Column("id", _ROW, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_us", BigInteger, nullable=False),
    Column("disabled", Boolean, nullable=False, default=False),
    Column("retention_days", Integer, nullable=False, default=RETENTION_DAYS),
    Column("smallest_group", Integer, nullable=False, default=3),
    sqlite_autoincrement=True,
)

# Write keys, which are public. One that was rotated out is taken until `until_us`; NULL is for ever.
WRITE_KEYS = Table(
    "write_keys",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("project", BigInteger, nullable=False, index=True),
    Column("created_us", BigInteger, nullable=False),
    Column("until_us", BigInteger),
)

# Viewing tokens. `id` is the part before the secret, which tells the row; `secret` is scrypt's hash of the rest with
# `salt`, and `hint` the beginning of a fast hash of both, by which nearly all wrong ones are known (NULL: not known
# yet). `project` NULL is a token for all projects.
TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("project", BigInteger, index=True),
    Column("salt", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("hint", LargeBinary),
)

# Who is logged in: the SHA-256 of the cookie's value, as hexadecimal digits. Deleted by logging out, or with its token.
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("token", Text, nullable=False, index=True),
    Column("until_us", BigInteger, nullable=False, index=True),
)

# One row for each random id. `first_us` is when its first event began, `first_success_us` its first goal with status 0
# (NULL: none yet), `last_us` its last event. Events that are deleted for their age leave these as they are.
PEOPLE = Table(
    "people",
    METADATA,
    Column("id", _ROW, primary_key=True),
    Column("project", BigInteger, nullable=False),
    Column("anonymous_id", _ID, nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("first_success_us", BigInteger),
    Column("last_us", BigInteger, nullable=False),
    UniqueConstraint("project", "anonymous_id"),
    Index("people_first", "project", "first_us"),
    sqlite_autoincrement=True,
)

# Texts that many events share, once: names of targets and of events. Other columns name a row by its id.
NAMES = Table(
    "names",
    METADATA,
    Column("id", _ROW, primary_key=True),
    Column("project", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("project", "name"),
    sqlite_autoincrement=True,
)

# The combinations of what a page can split and filter by. An unknown value is "" or -1. `system` is the property `os`,
# `driver` person, ci or agent; `jobs` is 0 for no limit, else rounded down to a power of two, at most 64; `on_default`
# and `goal` are 0 or 1.
CUTS = Table(
    "cuts",
    METADATA,
    Column("id", _ROW, primary_key=True),
    Column("project", BigInteger, nullable=False),
    Column("system", Text, nullable=False),
    Column("driver", Text, nullable=False),
    Column("jobs", SmallInteger, nullable=False),
    Column("on_default", SmallInteger, nullable=False),
    Column("goal", SmallInteger, nullable=False),
    UniqueConstraint("project", "system", "driver", "jobs", "on_default", "goal"),
    sqlite_autoincrement=True,
)

# One row for each target of one make process. `started_us` follows from the message, so it is the same when the message
# comes again: it is part of the key because PostgreSQL's partitions, one for each month, need it there.
# `own_ms` is `recipe_ms`, `whole_ms` `duration_ms`; `own_bucket` and `whole_bucket` are `buckets.bucket` of both.
# `status` is `exit_status` (negative: a signal). `run` is `run_id`; `parent` is `parent_id`, a `message_id`.
# `commit_s` is seconds since 1970, `commit_offset_min` the offset from UTC that the property was written with.
# `event` is the event's name in NAMES. `rest` holds all other properties as a JSON object; NULL for none.
# Whatever a message left out is NULL.
EVENTS = Table(
    "events",
    METADATA,
    Column("project", BigInteger, nullable=False),
    Column("message_id", _ID, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("target", BigInteger, nullable=False),
    Column("cut", BigInteger, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("own_ms", BigInteger),
    Column("whole_ms", BigInteger),
    Column("own_bucket", SmallInteger),
    Column("whole_bucket", SmallInteger),
    Column("status", SmallInteger),
    Column("goal", Boolean),
    Column("lines", BigInteger),
    Column("level", Integer),
    Column("parallel", Boolean),
    Column("jobs", Integer),
    Column("on_default", Boolean),
    Column("commit_s", BigInteger),
    Column("commit_offset_min", SmallInteger),
    Column("run", _ID),
    Column("parent", _ID),
    Column("version", SmallInteger),
    Column("is_test", Text, nullable=False),
    Column("rest", Text),
    UniqueConstraint("project", "message_id", "started_us"),
    Index("events_started", "project", "started_us"),
    Index("events_run", "project", "run"),
    Index("events_person", "project", "person", "started_us"),
    postgresql_partition_by="RANGE (started_us)",
)

# A person's yes or no: "in" or "out".
CHOICES = Table(
    "choices",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("message_id", _ID, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("person", BigInteger, nullable=False),
    Column("choice", Text, nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("is_test", Text, nullable=False),
    Column("rest", Text),
    Index("choices_person", "project", "person"),
)

# A day's events by target, person and cut: how many, their time, how many failed (a status other than 0, given up not
# counted), were given up (Ctrl-C: status -2 or 130), and failed while the person's next event of that target on that
# day passed. `own_ms` and `whole_ms` are sums.
_OF_TARGET = ("person", "cut", "runs", "failures", "given_up", "then_passed")  # what the page of one target reads
DAYS = Table(
    "days",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("target", BigInteger, primary_key=True),
    Column("person", BigInteger, primary_key=True),
    Column("cut", BigInteger, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    Column("own_ms", BigInteger, nullable=False),
    Column("whole_ms", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("given_up", BigInteger, nullable=False),
    Column("then_passed", BigInteger, nullable=False),
    Index("days_target", "project", "target", "day", postgresql_include=_OF_TARGET),
    sqlite_with_rowid=False,
)

# How many of a day's events fall into a bucket of durations, for medians and percentiles; see `storage.buckets`.
# `kind` 0 is the target's own time (`own_ms`), 1 the whole (`whole_ms`). Only events with status 0 are here. Each
# database has an index of its own, made in `versions`: SQLite by kind and target, PostgreSQL by target, kind and day.
BUCKETS = Table(
    "buckets",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("target", BigInteger, primary_key=True),
    Column("cut", BigInteger, primary_key=True),
    Column("kind", SmallInteger, primary_key=True),
    Column("bucket", SmallInteger, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# How many of a day's events ended with an exit status other than 0, by person.
STATUSES = Table(
    "statuses",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("target", BigInteger, primary_key=True),
    Column("cut", BigInteger, primary_key=True),
    Column("status", SmallInteger, primary_key=True),
    Column("person", BigInteger, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    Index("statuses_target", "project", "target", "day"),
    sqlite_with_rowid=False,
)

# What else a day's events of a person said, and how many did: `kind` 0 is the time of the commit (`commit_s`), 1 the
# version of the list of properties (`version`).
FACTS = Table(
    "facts",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("kind", SmallInteger, primary_key=True),
    Column("value", BigInteger, primary_key=True),
    Column("person", BigInteger, primary_key=True),
    Column("runs", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What `storage.rollups` makes, and which of it has a column `person`.
ROLL_UPS = (DAYS, BUCKETS, STATUSES, FACTS)
BY_PERSON = (DAYS, STATUSES, FACTS)

# Days whose events changed since ROLL_UPS were made from them. Written in the transaction of the
# change; not unique, so that two writers do not wait for each other.
DIRTY_DAYS = Table(
    "dirty_days",
    METADATA,
    Column("id", _ROW, primary_key=True),
    Column("project", BigInteger, nullable=False),
    Column("day", Integer, nullable=False),
)

# What was refused on a day: the property's name ("" for the whole event), a reason in words, and how often.
REFUSED = Table(
    "refused",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("property", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)

# Ids that were erased: the SHA-256 of project and id. Nothing of these is taken again.
ERASED = Table(
    "erased",
    METADATA,
    Column("project", BigInteger, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
)
