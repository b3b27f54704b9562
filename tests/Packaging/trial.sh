#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# trial.sh PACKAGE.deb - installs, uses and removes the package on a copy of this system.
#
# The copy is an overlay in a mount namespace of its own, with a network and processes of its own:
# nothing outside changes, and all of it vanishes with this script.
#
#   unshare --mount --net --pid --fork --kill-child trial.sh PACKAGE.deb
#
# Prints one line for each thing shown; the first that fails ends it with status 1.

set -euo pipefail
package=$(readlink -f "$1")
base=$(mktemp -d)
mount --make-rprivate /
mount -t tmpfs tmpfs "$base"
mkdir "$base"/{upper,work,root}
root=$base/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mkdir "$root/run/lock"
mount -t tmpfs tmpfs "$root/tmp"
cp "$package" "$root/tmp/new.deb"
ip link set lo up
ip link add sync type veth peer name other
ip addr add 10.99.0.1/24 dev sync
ip link set sync up
ip link set other up
conf=/etc/conntrackd/conntrackd.conf

inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    DEBIAN_FRONTEND=noninteractive "$@"; }
die() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
shown() { printf 'shown: %s\n' "$*"; }
check() { # TEXT COMMAND...
    local text=$1
    shift
    "$@" >"$base/said" 2>&1 || { cat "$base/said" >&2; die "$text ($*)"; }
    shown "$text"
}
absent() { [ ! -e "$root$1" ] && [ ! -L "$root$1" ]; }
not() { if "$@"; then return 1; fi; }
processes() { cat /proc/[0-9]*/comm 2>/dev/null | grep -cx conntrackd || true; }
mount -t proc proc /proc    # of this process namespace
soon() { for _ in {1..50}; do if "$@"; then return 0; fi; sleep 0.1; done; return 1; }
none_runs() { [ "$(processes)" = 0 ]; }
install_package() { inside dpkg -i --force-confdef --force-confold /tmp/new.deb; }

write_config() {
    cat >"$root$conf" <<'EOF'
Sync {
    Mode FTFW {
    }
    UDP {
        IPv4_address 10.99.0.1
        IPv4_Destination_Address 10.99.0.2
        Port 3780
        Interface sync
    }
}
General {
    LogFile on
    LockFile /var/lock/conntrackd.lock
    UNIX {
        Path /var/run/conntrackd.ctl
    }
}
EOF
}

# Debian's package as it is installed here, made anew from its files: the way back.
pack_original() {
    local tree=$root/tmp/original file
    mkdir -p "$tree/DEBIAN"
    for file in "$root"/var/lib/dpkg/info/conntrackd.{conffiles,md5sums,p*inst,p*rm}; do
        if [ -e "$file" ]; then cp -p "$file" "$tree/DEBIAN/${file##*.}"; fi
    done
    inside dpkg -s conntrackd | sed '/^Status:/d; /^Conffiles:/,/^[^ ]/{/^Conffiles:/d; /^ /d}' \
        >"$tree/DEBIAN/control"
    inside dpkg -L conntrackd | while read -r file; do
        if [ -d "$root$file" ] && [ ! -L "$root$file" ]; then mkdir -p "$tree$file"
        elif [ -e "$root$file" ] || [ -L "$root$file" ]; then cp -a "$root$file" "$tree$file"; fi
    done
    inside dpkg-deb --root-owner-group --build /tmp/original /tmp/original.deb
}

# ---- in the place of Debian's package, if that is here, with a changed configuration ----

original=$(inside dpkg-query -W -f '${Version}' conntrackd 2>/dev/null || true)
if [ -n "$original" ]; then check "Debian's package is packed for the way back" pack_original; fi
mkdir -p "$root/etc/conntrackd"
write_config
sum=$(sha256sum <"$root$conf")
helper=$(find "$root/usr/lib" -name ct_helper_ftp.so -print -quit)
install_package >"$base/log" 2>&1 || { cat "$base/log"; die "dpkg -i over '$original'"; }
shown "installed over '$original'"
version=$(inside dpkg-query -W -f '${Version}' conntrackd)
if [ -n "$original" ]; then
    check "$version is higher than $original" \
        inside dpkg --compare-versions "$version" gt "$original"
    check "the helpers of the old package are gone" not test -e "$helper"
fi
check "a changed configuration is kept" test "$(sha256sum <"$root$conf")" = "$sum"
check "the files are whole" not grep -q . <(inside dpkg -V conntrackd | grep -v ' c /etc')
check "nothing was started" none_runs
check "the program is the new one" \
    grep -q "v${version#1:}" <(inside conntrackd -v | sed 's/\. Lic.*/-1/')
check "the unit is there" test -e "$root/usr/lib/systemd/system/conntrackd.service"
check "and enabled" \
    test -L "$root/etc/systemd/system/multi-user.target.wants/conntrackd.service"
check "the manual pages are found" inside man -w 8 conntrackd 5 conntrackd.conf

# ---- use ----

check "the start script starts it" inside /etc/init.d/conntrackd start
check "one process runs" test "$(processes)" = 1
check "the start script sees it" inside /etc/init.d/conntrackd status
check "a second start changes nothing" inside /etc/init.d/conntrackd start
check "it answers -s" grep -q 'cache internal' <(inside conntrackd -s)
for role in primary backup fault; do
    check "primary-backup.sh $role" \
        inside /usr/share/doc/conntrackd/examples/sync/primary-backup.sh "$role"
done
inside mv /var/log/conntrackd.log /var/log/conntrackd.log.1
check "logs are reopened" inside /usr/share/conntrackd/reopen-logs
inside conntrackd -B
check "and written to" grep -q bulk "$root/var/log/conntrackd.log"
check "the start script stops it" inside /etc/init.d/conntrackd stop
check "no process is left" soon none_runs
check "no lock file is left" absent /run/lock/conntrackd.lock
check "no socket is left" absent /run/conntrackd.ctl

# ---- back to Debian's package, and to this one again ----

if [ -n "$original" ]; then
    check "back to $original" inside dpkg -i --force-confdef --force-confold --force-downgrade \
        /tmp/original.deb
    upstream=${original#*:}
    check "the program is Debian's" grep -q "v${upstream%%-*}\\." <(inside conntrackd -v)
    check "the configuration is kept on the way back" \
        test "$(sha256sum <"$root$conf")" = "$sum"
    check "Debian's daemon starts with it" inside conntrackd -d
    check "and answers" grep -q 'cache internal' <(inside conntrackd -s)
    check "and stops" inside conntrackd -k
    check "and is gone" soon none_runs
    check "nothing of ours is left" absent /usr/lib/systemd/system/conntrackd@.service
    check "forth again" install_package
    check "the configuration is kept again" test "$(sha256sum <"$root$conf")" = "$sum"
fi

# ---- and away ----

inside dpkg -L conntrackd >"$base/files"
inside dpkg -r conntrackd >/dev/null 2>&1 || die "dpkg -r"
check "removed: no program" absent /usr/sbin/conntrackd
check "removed: the configuration stays" test -e "$root$conf"
inside dpkg -P conntrackd >/dev/null 2>&1 || die "dpkg -P"
while read -r file; do
    # Directories may be shared with other packages.
    if [ -d "/$file" ]; then continue; fi
    absent "$file" || die "purged, but $file is still there"
done <"$base/files"
shown "purged: nothing is left"
check "purged: not enabled" \
    absent /etc/systemd/system/multi-user.target.wants/conntrackd.service

# ---- a first installation ----

install_package >"$base/log" 2>&1 || { cat "$base/log"; die "dpkg -i for the first time"; }
check "first installation: nothing was started" none_runs
check "first installation: the configuration is the package's" test -s "$root$conf"
check "first installation: it starts as it is" inside /etc/init.d/conntrackd start
check "first installation: it answers" inside conntrackd -s
check "first installation: it stops" inside /etc/init.d/conntrackd stop
check "first installation: no process is left" soon none_runs
check "first installation: the files are whole" not grep -q . <(inside dpkg -V conntrackd)
inside dpkg -P conntrackd >/dev/null 2>&1 || die "dpkg -P"
shown "and purged"
