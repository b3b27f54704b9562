#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install.sh - puts conntrackd where a system expects it; from the source tree after a build, and
# from the unpacked tarball.
#
#   install.sh [--destdir DIR] [--prefix DIR] [--init KIND]
#
#   --destdir  the root of the system to install to (default: this one)
#   --prefix   for program, manual pages and completions (default /usr)
#   --init     systemd, openrc, procd, sysv or none (default: what this system runs)
#
# An existing /etc/conntrackd/conntrackd.conf is kept. Nothing is started or enabled.

set -eu
here=$(dirname "$(readlink -f "$0")")
top=$(dirname "$here")
destdir=
prefix=/usr
init=

die() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
    --destdir | --prefix | --init) [ $# -ge 2 ] || die "$1 needs a value" ;;
    *) die "unknown option '$1'" ;;
    esac
    case $1 in
    --destdir) destdir=${2%/} ;;
    --prefix) prefix=$2 ;;
    --init) init=$2 ;;
    esac
    shift 2
done

binary=$top/out/conntrackd
if [ ! -x "$binary" ]; then binary=$top/conntrackd; fi
[ -x "$binary" ] || die "no program: neither $top/out/conntrackd nor $binary"

if [ -z "$init" ]; then
    if [ -d "$destdir/run/systemd/system" ]; then init=systemd
    elif [ -e "$destdir/sbin/openrc-run" ]; then init=openrc
    elif [ -e "$destdir/sbin/procd" ]; then init=procd
    else init=none; fi
fi

put() { # MODE SOURCE TARGET
    mkdir -p "$destdir$(dirname "$3")"
    # Not over the old file: a program that runs from it keeps it.
    cp "$2" "$destdir$3.new"
    chmod "$1" "$destdir$3.new"
    mv -f "$destdir$3.new" "$destdir$3"
}

put_init() {
    case $init in
    systemd)
        put 644 "$here/systemd/conntrackd.service" "$prefix/lib/systemd/system/conntrackd.service"
        put 644 "$here/systemd/conntrackd@.service" \
            "$prefix/lib/systemd/system/conntrackd@.service" ;;
    openrc | procd | sysv)
        put 755 "$here/init/conntrackd.$init" /etc/init.d/conntrackd
        if [ "$init" = sysv ]; then
            put 644 "$here/init/conntrackd.default" /etc/default/conntrackd
        fi ;;
    none) ;;
    *) die "unknown init system '$init'" ;;
    esac
}

put 755 "$binary" "$prefix/sbin/conntrackd"
if [ ! -e "$destdir/etc/conntrackd/conntrackd.conf" ]; then
    put 644 "$top/conntrackd.conf" /etc/conntrackd/conntrackd.conf
fi
put 644 "$here/man/conntrackd.8" "$prefix/share/man/man8/conntrackd.8"
put 644 "$here/man/conntrackd.conf.5" "$prefix/share/man/man5/conntrackd.conf.5"
put 644 "$here/completions/conntrackd.bash" \
    "$prefix/share/bash-completion/completions/conntrackd"
put 644 "$here/completions/_conntrackd" "$prefix/share/zsh/site-functions/_conntrackd"
put 644 "$here/completions/conntrackd.fish" \
    "$prefix/share/fish/vendor_completions.d/conntrackd.fish"
put 644 "$top/conntrackd.conf" "$prefix/share/doc/conntrackd/examples/sync/ftfw/conntrackd.conf"
put 644 "$here/reference.conf" "$prefix/share/doc/conntrackd/examples/reference.conf"
put 755 "$here/scripts/primary-backup.sh" \
    "$prefix/share/doc/conntrackd/examples/sync/primary-backup.sh"
put 755 "$here/scripts/reopen-logs" "$prefix/share/conntrackd/reopen-logs"
# procd systems have no logrotate; elsewhere the rule does no harm without it.
if [ "$init" != procd ]; then put 644 "$here/logrotate/conntrackd" /etc/logrotate.d/conntrackd; fi
put_init
