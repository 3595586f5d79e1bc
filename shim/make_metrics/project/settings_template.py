"""The settings file that `make-metrics init` writes: every key, each with what it means."""

from __future__ import annotations

TEXT = """\
# What this project would like to know from its contributors, and where it would go. This file cannot say yes for
# anybody: until a contributor runs `make-metrics opt-in`, nothing is sent. A change of it asks everybody again.

name = "Example"                        # the project's name
collected-by = "The example team"       # who collects
purpose = "to make builds faster"       # what for: contributors read this before they decide
# retention = "one year"                # how long the receivers keep it
# contact = "builds@example.org"        # whom to ask

# event = "make.target.run"             # the events' name at the receiver
# default-branch = "main"               # the branch that git_checked_out_master is about
# send-file-targets = false             # whether names of targets that are files are sent, as paths within the project
# send-opt-out = false                  # whether a no after a yes is reported
# metrics = ["os", "jobs", "ci"]        # more about each run: `make-metrics schema` lists what there is
# labels = { team = "build" }           # the same for everybody, in each event: at most eight
# crash-reports-dsn = "https://KEY@HOST/NUMBER"  # failures of make-metrics itself, after a yes of their own

# Where events go, at most eight tables. This one is a file on the contributor's own machine.
[[sinks]]
type = "file"
name = "builds"

# [[sinks]]
# type = "segment"
# write-key = "PUBLIC-KEY"              # whoever has it can send, not read
# host = "https://events.example.org"   # Segment's own if it is left out
# erasure = true                        # it deletes what it has of somebody who asks: make-metrics serve does

# [[sinks]]
# type = "otlp"                         # needs make-metrics[otlp]
# host = "https://collector.example.org:4318"
# write-key = "PUBLIC-KEY"              # sent as Authorization: Bearer PUBLIC-KEY
# key-header = "x-api-key"              # the header that carries the key instead
# service = "example"                   # service.name; the project's name if it is left out
# signals = "traces"                    # or "metrics"; both if it is left out
"""
