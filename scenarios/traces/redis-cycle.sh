#!/bin/sh
# What redis-server is asked while it is recorded: fill, overwrite with other sizes, FLUSHALL, and
# fill again; with a rest after each, in which jemalloc gives memory back. Then it shuts down.
#
#     redis-cycle.sh PORT
port=$1
ask() { redis-cli -p "$port" "$@" > /dev/null; }
until redis-cli -p "$port" ping > /dev/null 2>&1; do sleep 0.1; done
rest() { ask memory purge; sleep 0.5; }
write() { redis-benchmark -p "$port" -q -t set -P 64 -r "$1" -n "$1" -d "$2" > /dev/null; }
ask debug populate 120000 key 600
rest
write 60000 2500
rest
ask flushall sync
rest
write 30000 900
rest
ask shutdown nosave
