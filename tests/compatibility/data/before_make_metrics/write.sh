#!/bin/sh
# Wrote before_make_metrics/: what an installation of the version before, whose package was called `shim`, leaves behind.
# Kept as a record of what the files are. Needs that version's make-metrics in /opt/make-metrics, root, and git.
# usage: unshare --uts sh write.sh OUT
set -eu
out=$1
hostname builder
rm -rf /srv/home /srv/example /srv/other
mkdir -p /srv/home /srv/example /srv/other
export PATH=/opt/make-metrics/bin:/usr/bin:/bin HOME=/srv/home MAKE_METRICS_HOME=/srv/home MAKE_METRICS_SENDER=none
unset CI MAKE_METRICS DO_NOT_TRACK XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME 2>/dev/null || true

make-metrics setup >/srv/line
cd /srv/example
printf 'all: first second\nfirst:\n\t@echo first\nsecond:\n\t@echo second\nfails:\n\t@exit 3\nthird:\n\t@echo third\n' >Makefile
cat /srv/line >>Makefile
cat >make-metrics.toml <<'TOML'
name = "Example"
collected-by = "The example team"
purpose = "to make builds faster"
metrics = ["make_version", "jobs"]
crash-reports-dsn = "http://public@127.0.0.1:9/1"

[[sinks]]
type = "segment"
write-key = "key"
host = "http://127.0.0.1:9"

[[sinks]]
type = "file"
name = "builds"
TOML
cp make-metrics.toml Makefile /srv/other
make-metrics on-this-machine 2>/dev/null
make-metrics opt-in --yes >/dev/null 2>&1
make-metrics crash-reports on --yes >/dev/null 2>&1
make-metrics opt-out -C /srv/other >/dev/null 2>&1

make all
make fails || true
sleep 3 # for the walks, which complete the records
make-metrics flush >/dev/null 2>&1 || true # the file takes the events, the address has no receiver
/opt/make-metrics/bin/python - <<'PYTHON'
import time

from shim import crash_log, database
from shim.paths import Paths
from shim.troubles import FAILED, Trouble, Troubles

paths = Paths.from_environment()
troubles = [Trouble("queue_length", FAILED, "FileNotFoundError: /var/spool/queue")]
database.use(paths, lambda found: Troubles(found).add(troubles, now_ns=time.time_ns()), [])
try:
    database.use(paths, lambda found: found["no such"], [])
except TypeError as error:
    crash_log.note(error, part="command")
PYTHON
make third
sleep 3

rm -rf "$out"
mkdir -p "$out"
cp -R /srv/home "$out/home"
cp -R /srv/example "$out/example"
