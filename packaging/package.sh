#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# package.sh - makes a Debian package and a tarball of the built program.
#
#   package.sh OUTDIR      needs out/conntrackd; prints the paths of what it made
#
# The Debian package has the name of Debian's own and a higher version (epoch 1), so it takes its
# place: dpkg -i, or apt install ./FILE. Same input, same bytes: the times of all files are that
# of the last commit, or SOURCE_DATE_EPOCH.

set -euo pipefail
[ $# = 1 ] || { sed -n '4,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
outdir=$(readlink -f "$1")
cd "$(dirname "$(readlink -f "$0")")/.."

die() { printf 'package.sh: %s\n' "$*" >&2; exit 1; }
[ -x out/conntrackd ] || die "no out/conntrackd: ./build.sh build"
version=$(sed -n 's/.*<Version>\(.*\)<\/Version>.*/\1/p' conntrackd.csproj)
[ -n "$version" ] || die "no version in conntrackd.csproj"
out/conntrackd -v | grep -q "v$version\\." || die "out/conntrackd is not of version $version"
case $(uname -m) in
x86_64) debian=amd64 rid=linux-x64 ;;
aarch64) debian=arm64 rid=linux-arm64 ;;
*) die "no name for the architecture $(uname -m)" ;;
esac
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
umask 022

# What all of Debian's packages have besides the files: compressed pages, changelog, copyright.
debian_docs() { # ROOT
    local doc=$1/usr/share/doc/conntrackd
    printf 'conntrackd (1:%s-1) unstable; urgency=medium\n\n  * Release %s.\n\n -- %s  %s\n' \
        "$version" "$version" "conntrackd developers <conntrackd@localhost>" \
        "$(date -u -R -d "@$SOURCE_DATE_EPOCH")" >"$doc/changelog.Debian"
    gzip -9n "$doc/changelog.Debian" "$1"/usr/share/man/man*/*
    install -m 644 packaging/debian/copyright "$doc/copyright"
    install -m 644 README.md "$doc/README.md"
    mv "$1/usr/share/zsh/site-functions" "$1/usr/share/zsh/vendor-completions"
}

make_deb() {
    local root=$scratch/deb file=$outdir/conntrackd_${version}-1_$debian.deb size
    packaging/install.sh --destdir "$root" --init systemd
    packaging/install.sh --destdir "$root" --init sysv
    # As with the package of the original, the daemon starts with what is installed.
    install -m 644 packaging/debian/conntrackd.conf "$root/etc/conntrackd/conntrackd.conf"
    debian_docs "$root"
    mkdir "$root/DEBIAN"
    (cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"
    (cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
    sed -e "s/@VERSION@/1:$version-1/; s/@ARCHITECTURE@/$debian/; s/@SIZE@/$size/" \
        packaging/debian/control.in >"$root/DEBIAN/control"
    install -m 755 packaging/debian/{preinst,postinst,prerm,postrm} "$root/DEBIAN/"
    dpkg-deb --root-owner-group -Zxz --build "$root" "$file" >/dev/null
    echo "$file"
}

make_tarball() {
    local name=conntrackd-$version-$rid root file
    root=$scratch/$name
    file=$outdir/$name.tar.gz
    mkdir "$root"
    cp out/conntrackd conntrackd.conf README.md LICENSE "$root/"
    mkdir "$root/packaging"
    cp -r packaging/{install.sh,reference.conf,systemd,init,man,completions,logrotate,scripts} \
        "$root/packaging/"
    tar -C "$scratch" --sort=name --owner=0 --group=0 --numeric-owner \
        --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" | gzip -9n >"$file"
    echo "$file"
}

if command -v dpkg-deb >/dev/null; then make_deb; fi
make_tarball
