#!/bin/sh
# For comparison: a wrapper as one would first write it in shell.
start=$(date +%s.%N)
"$BENCH_SHELL" "$@"
status=$?
echo "$start $(date +%s.%N) $status $2" >> "$BENCH_RESULTS/log"
exit $status
