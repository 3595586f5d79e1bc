"""For comparison: a wrapper as one would first write it in Python."""

import json
import os
import subprocess
import sys
import time

import filelock
import psutil

start = time.time()
status = subprocess.run([os.environ["BENCH_SHELL"], *sys.argv[1:]], check=False).returncode
entry = {
    "start": start,
    "end": time.time(),
    "status": status,
    "line": sys.argv[-1],
    "makes": [one.pid for one in psutil.Process().parents() if one.name() == "make"],
}
log = os.environ["BENCH_RESULTS"] + "/log.json"
with filelock.FileLock(log + ".lock"), open(log, "a") as file:  # noqa: PTH123
    file.write(json.dumps(entry) + "\n")
raise SystemExit(status)
