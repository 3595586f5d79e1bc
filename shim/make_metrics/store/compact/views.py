"""The views that other programs may rely on: docs/reference/store.md says what each column means.

A released view is never changed: a view with other columns gets another number. Their SQL is plain enough for DuckDB,
which reads it itself: no division, no function of SQLite's own.
"""

from __future__ import annotations

VIEWS = (
    """CREATE VIEW runs_v1 AS SELECT
        builds.id AS run,
        coalesce(project.text, '') AS project,
        coalesce(goals.text, '[]') AS goals,
        builds.started_ns AS started_ns,
        builds.duration_ms AS duration_ms,
        builds.before_ms AS before_ms,
        builds.exit_status AS exit_status,
        builds.targets AS targets,
        CASE WHEN builds.jobs >= 0 THEN builds.jobs END AS jobs,
        coalesce(version.text, '') AS make_version,
        coalesce(commit_text.text, '') AS commit_id,
        coalesce(branch.text, '') AS branch,
        builds.torn AS torn
    FROM builds
        LEFT JOIN texts AS project ON project.id = builds.directory
        LEFT JOIN texts AS goals ON goals.id = builds.goals
        LEFT JOIN texts AS version ON version.id = builds.make_version
        LEFT JOIN texts AS commit_text ON commit_text.id = builds.commit_id
        LEFT JOIN texts AS branch ON branch.id = builds.branch""",
    """CREATE VIEW targets_v1 AS SELECT
        builds.id AS run,
        coalesce(project.text, '') AS project,
        targets.make AS make,
        coalesce(directory.text, '') AS directory,
        coalesce(name.text, '') AS target,
        makes.level AS level,
        makes.parent AS parent_make,
        coalesce(parent_target.text, '') AS parent_target,
        targets.goal AS goal,
        builds.started_ns + 1000 * targets.start_us AS start_ns,
        targets.span_us AS span_us,
        targets.span_us - targets.idle_us AS own_us,
        coalesce(1000 * targets.whole_ms, targets.span_us) AS whole_us,
        targets.exit_status AS exit_status,
        targets.lines AS lines,
        targets.cpu_us AS cpu_us,
        targets.peak_kib AS peak_kib,
        prerequisites.text AS prerequisites,
        targets.newer AS newer
    FROM targets
        JOIN builds ON builds.number = targets.build
        JOIN makes ON makes.build = targets.build AND makes.number = targets.make
        LEFT JOIN texts AS name ON name.id = targets.name
        LEFT JOIN texts AS project ON project.id = builds.directory
        LEFT JOIN texts AS directory ON directory.id = makes.directory
        LEFT JOIN texts AS parent_target ON parent_target.id = makes.parent_target
        LEFT JOIN texts AS prerequisites ON prerequisites.id = targets.prerequisites""",
    """CREATE VIEW lines_v1 AS SELECT
        builds.id AS run,
        targets.make AS make,
        coalesce(name.text, '') AS target,
        coalesce(lines.number, 1) AS line,
        builds.started_ns + 1000 * (targets.start_us + coalesce(lines.start_us, 0)) AS start_ns,
        coalesce(lines.duration_us, targets.span_us) AS duration_us,
        coalesce(lines.exit_status, targets.exit_status) AS exit_status,
        CASE WHEN lines.number IS NULL THEN targets.cpu_us ELSE lines.cpu_us END AS cpu_us,
        CASE WHEN lines.number IS NULL THEN targets.peak_kib ELSE lines.peak_kib END AS peak_kib
    FROM targets
        JOIN builds ON builds.number = targets.build
        LEFT JOIN texts AS name ON name.id = targets.name
        LEFT JOIN lines ON lines.build = targets.build AND lines.make = targets.make AND lines.name = targets.name
    WHERE targets.lines = 1 OR lines.number IS NOT NULL""",
)
NAMES = ("runs_v1", "targets_v1", "lines_v1")
