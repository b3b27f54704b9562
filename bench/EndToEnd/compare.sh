#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# compare.sh TESTBED A B INTO [--quick | --sweep]
#
# Runs the testbed's scenarios for the daemons A (the C one) and B, in alternating order. The
# tables go to standard output, the samples to INTO/NAME.json, a file for each call.
#
#   (default)   what the README and docs/performance.md quote: three runs each, some 22 minutes
#   --quick     everything once, small sizes, to try it out
#   --sweep     how cost grows: rates from 1,000 to 200,000 events/s, tables of 10,000 to
#               4,000,000 flows; one run each, some 8 minutes

set -euo pipefail
[ $# -ge 4 ] || { sed -n '4,13p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }
readonly TESTBED=$1 A=$2 B=$3 INTO=$4 WHAT=${5:-}
mkdir -p "$INTO"

# Samples tell which program, not where it was built, nor where they were written.
name_programs() {
    sed -i -e "s|\"$B\"|\"${B##*/}\"|" -e "/^ *\"json\": /d" "$INTO/$1.json"
}

# run NAME OPTION...: one call of the testbed.
run() {
    local name=$1
    shift
    python3 "$TESTBED/bench.py" "$A" "$B" --swap --json "$INTO/$name.json" "$@"
    name_programs "$name"
}

compare() {
    run events -s events,syscalls --transports udp --flows 60000 -r 3
    run multicast -s events --modes FTFW --transports multicast --flows 60000 -r 3 --no-limits
    run traffic -s traffic --modes FTFW --transports udp --flows 60000 -r 3
    run tables -s startup,failover,dump --commit-sizes 500000 --fill-rate 100000 -r 3
    run latency -s latency -r 3
    run burst -s burst,overrun --burst 100000 --fill-rate 100000 --burst-wait 45 -r 3
    run maxrate -s maxrate --rate-from 100000 --seconds 3 -r 3
    run memory -s memory --fill-rate 100000 -r 1
    run loss -s loss --modes FTFW --flows 50000 -r 1
}

sweep() {
    local rate
    # A life is three events. Six seconds at each rate.
    for rate in 1000 3000 10000 30000 50000 100000 200000; do
        run "rate-$rate" -s events --modes FTFW --transports udp \
            --rate $((rate / 3)) --flows $((rate * 2)) --lag $((rate / 6 + 1)) -r 1
    done
    for rate in 10000 100000 500000; do
        run "size-$rate" -s startup,failover,dump --size "$rate" --commit-sizes "$rate" \
            --fill-rate 100000 -r 1
    done
    run size-memory -s memory --sizes 10000,100000,1000000 --fill-rate 100000 -r 1
    # The C daemon would need 4 GB for both caches.
    python3 "$TESTBED/bench.py" "$B" --json "$INTO/size-4000000.json" -s memory --no-limits \
        --sizes 4000000 --fill-rate 100000 -r 1
    name_programs size-4000000
}

case $WHAT in
'') compare ;;
--quick) run quick --quick ;;
--sweep) sweep ;;
*) printf 'compare.sh: unknown option %s\n' "'$WHAT'" >&2; exit 2 ;;
esac
