#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# primary-backup.sh - what conntrackd has to do when this node changes its role.
#
#   primary-backup.sh primary    the addresses are ours now: the peer's states become the kernel's
#   primary-backup.sh backup     the peer has the addresses: get its states, forget our own
#   primary-backup.sh fault      this node is out of order: forget our own states
#
# Called by the program that moves the addresses, for keepalived:
#
#   vrrp_sync_group G1 {
#       ...
#       notify_master "/etc/conntrackd/primary-backup.sh primary"
#       notify_backup "/etc/conntrackd/primary-backup.sh backup"
#       notify_fault "/etc/conntrackd/primary-backup.sh fault"
#   }
#
# Every step is tried even if one before it failed; each failure goes to syslog and to standard
# error, and the exit status is then 1. Another word than these three changes nothing and exits 1.

CONNTRACKD_BIN=${CONNTRACKD_BIN:-/usr/sbin/conntrackd}
CONNTRACKD_CONFIG=${CONNTRACKD_CONFIG:-/etc/conntrackd/conntrackd.conf}
status=0

tell() { # PRIORITY TEXT
    if command -v logger >/dev/null 2>&1; then
        logger -t primary-backup.sh -p "daemon.$1" -- "$2"
    fi
    printf 'primary-backup.sh: %s\n' "$2" >&2
}

# Runs one request, without its output; a failure is told with what the client had to say.
request() {
    said=$("$CONNTRACKD_BIN" -C "$CONNTRACKD_CONFIG" "$@" 2>&1 >/dev/null)
    result=$?
    if [ "$result" != 0 ]; then
        tell err "conntrackd $* failed with status $result: $said"
        status=1
    fi
    return "$result"
}

is_running() {
    "$CONNTRACKD_BIN" -C "$CONNTRACKD_CONFIG" -s runtime >/dev/null 2>&1
}

case ${1:-} in
primary)
    request -c      # write the peer's states into the kernel; returns when that is done
    request -f      # both caches tell of the time before
    request -R      # fill the internal cache from the kernel, which has everything now
    request -B      # and send it to the nodes that are backup from now on
    ;;
backup)
    if ! is_running; then
        tell warning "conntrackd does not answer, starting it"
        request -d || exit 1
    fi
    request -t      # connections that go through the peer now: out of our kernel, after a while
    request -n      # ask the primary node for its states
    ;;
fault)
    request -t
    ;;
*)
    printf 'Usage: primary-backup.sh {primary|backup|fault}\n' >&2
    tell err "unknown role '${1:-}', nothing was done"
    exit 1
    ;;
esac
exit "$status"
