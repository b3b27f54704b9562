#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# sealing.sh TESTBED DAEMON INTO [aes] [OPTION...]
#
# What sealing costs: the daemon with an open link as A and with a sealed one as B, in turn, in the
# testbed's scenario "events" (FT-FW over UDP). With "aes" the key is for AES-256-GCM. Options go to
# bench.py; without any: 100,000 lives, five runs each. The table goes to standard output, the
# samples to INTO/sealing.json (sealing-aes.json).

set -euo pipefail
[ $# -ge 3 ] || { sed -n '4,11p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }
readonly TESTBED=$1 INTO=$3
daemon=$(readlink -f "$2")
shift 3
suite= name=sealing
if [ "${1:-}" = aes ]; then
    suite=' aes' name=sealing-aes
    shift
fi
[ $# -gt 0 ] || set -- --flows 100000 -r 5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$INTO"

# One key for both ends; its words may follow.
"$daemon" --generate-key "$work/link.key" >/dev/null
sed -i "s/ active\$/$suite active/" "$work/link.key"

# The testbed knows no sealed links: B adds the line to each configuration that it is given.
cat >"$work/sealed" <<END
#!/bin/sh
case "\$1" in
-C) grep -q KeyFile "\$2" || sed -i 's|Checksum on|Checksum on\n        KeyFile $work/link.key|' "\$2" ;;
esac
exec $daemon "\$@"
END
chmod 755 "$work/sealed"
python3 "$TESTBED/bench.py" "$daemon" "$work/sealed" --swap --json "$INTO/$name.json" \
    -s events --modes FTFW --transports udp --no-limits "$@"
