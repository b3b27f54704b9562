#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# demo.sh - two firewalls, live connections through one of them, and then it dies.
#
#   demo.sh --daemon PATH [--peer PATH] [--keep] [--seconds N] [--no-commit]
#
#   --peer PATH    another daemon on fw2          --seconds N    of traffic before the failure
#   --keep         leave everything running       --no-commit    leave out "conntrackd -c": shows
#                                                                that nothing survives without it
#
#     client ──┬── in0 fw1 out0 ──┬── server      10.11.0.10 fd11::10    10.22.0.10 fd22::10
#              │     sync link    │               the gateway on either side is .1 and ::1;
#              └── in0 fw2 out0 ──┘               it is on fw1 first, on fw2 in the end
#
# Everything lives in network namespaces called ctd-demo-<pid>-{client,fw1,fw2,server} and in one
# temporary directory; both are gone at the end, after a failure and after Ctrl-C too. With --keep
# they stay, and demo.sh says how to look into them and how to remove them. Needs root.
# Exit status 0 only if every connection survived.

set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
readonly here
PATH=$PATH:/usr/sbin:/sbin

readonly AFTER_SECONDS=6     # of traffic after the failure; TCP asks again after 0.2, 0.4, 0.8 ...
readonly VIP4_IN=10.11.0.1 VIP6_IN=fd11::1 VIP4_OUT=10.22.0.1 VIP6_OUT=fd22::1

usage() { sed -n '4,19p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }

daemon= peer= keep= commit=1 seconds=4
while [ $# -gt 0 ]; do
    case $1 in
    --daemon) [ $# -ge 2 ] || usage
        daemon=$2
        shift ;;
    --peer) [ $# -ge 2 ] || usage
        peer=$2
        shift ;;
    --seconds) [ $# -ge 2 ] || usage
        seconds=$2
        shift ;;
    --keep) keep=1 ;;
    --no-commit) commit= ;;
    *) usage ;;
    esac
    shift
done
[ -n "$daemon" ] || usage
peer=${peer:-$daemon}

lab=ctd-demo-$$
dir=$(mktemp -d "/tmp/$lab.XXXX")
drivers=()

bold= green= red= plain=
if [ -t 1 ]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
note() { printf '  %s\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
in_ns() { local who=$1; shift; ip netns exec "$lab-$who" "$@"; }
binary_of() { if [ "$1" = fw1 ]; then echo "$daemon"; else echo "$peer"; fi; }
control() {
    local who=$1
    shift
    in_ns "$who" "$(binary_of "$who")" -C "$dir/$who/conntrackd.conf" "$@"
}

# What runs in our namespaces was started by us; nothing else is touched.
remove() {
    local who pids
    for who in client fw1 fw2 server; do
        [ -e "/run/netns/$lab-$who" ] || continue
        pids=$(ip netns pids "$lab-$who" 2>/dev/null || true)
        # shellcheck disable=SC2086 # a list of process ids
        if [ -n "$pids" ]; then kill -KILL $pids 2>/dev/null || true; fi
        ip netns del "$lab-$who" || true
    done
    rm -rf "$dir"
}

at_end() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    if [ "$status" != 0 ] && [ -d "$dir" ] && [ -z "${finished:-}" ]; then
        tail -n 5 "$dir"/*/conntrackd.log "$dir"/*/stderr 2>/dev/null >&2 || true
    fi
    if [ -n "$keep" ] && [ -n "${finished:-}" ]; then
        explain_kept_lab
    else
        remove 2>/dev/null
    fi
    exit "$status"
}
trap at_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

explain_kept_lab() {
    say "The lab is still there."
    note "look:    ip netns exec $lab-fw2 conntrack -L"
    note "         ip netns exec $lab-fw2 $peer -C $dir/fw2/conntrackd.conf -s"
    note "         ip netns exec $lab-client ip addr"
    note "log:     $dir/fw2/conntrackd.log"
    note "remove:  for n in client fw1 fw2 server; do"
    note "           ip netns pids $lab-\$n | xargs -r kill -9; ip netns del $lab-\$n; done"
    note "         rm -rf $dir"
}

# ---- the network ----

segment() { # HOST LEG NET4 NET6: one side of the firewalls, its switch lives with the host
    local host=$1 leg=$2 net4=$3 net6=$4 i
    ip -n "$lab-$host" link add lan type bridge stp_state 0 mcast_snooping 0
    for i in 1 2; do
        ip -n "$lab-$host" link add "port$i" type veth peer name "$leg" netns "$lab-fw$i"
        ip -n "$lab-$host" link set "port$i" master lan up
        ip -n "$lab-fw$i" link set "$leg" up
    done
    ip -n "$lab-$host" link set lan up
    ip -n "$lab-$host" addr add "$net4.10/24" dev lan
    ip -n "$lab-$host" addr add "$net6::10/64" dev lan nodad
    ip -n "$lab-$host" route add default via "$net4.1"
    ip -n "$lab-$host" -6 route add default via "$net6::1"
}

make_network() {
    local who i
    for who in client fw1 fw2 server; do
        ip netns add "$lab-$who"
        in_ns "$who" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
            net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
            net.ipv6.conf.default.router_solicitations=0
        ip -n "$lab-$who" link set lo up
    done
    for i in 1 2; do
        in_ns "fw$i" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
        in_ns "fw$i" nft -f "$here/firewall.nft"
        # Exists once a rule uses connection tracking.
        in_ns "fw$i" sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
    done
    segment client in0 10.11.0 fd11
    segment server out0 10.22.0 fd22
    ip -n "$lab-fw1" link add sync type veth peer name sync netns "$lab-fw2"
    for i in 1 2; do
        ip -n "$lab-fw$i" addr add "10.33.0.$i/24" dev sync
        ip -n "$lab-fw$i" link set sync up
    done
}

own_addresses() { # FIREWALL: it is the gateway now
    local who=$1
    ip -n "$lab-$who" addr add "$VIP4_IN/24" dev in0
    ip -n "$lab-$who" addr add "$VIP6_IN/64" dev in0 nodad
    ip -n "$lab-$who" addr add "$VIP4_OUT/24" dev out0
    ip -n "$lab-$who" addr add "$VIP6_OUT/64" dev out0 nodad
    in_ns "$who" python3 "$here/announce.py" in0 "$VIP4_IN" "$VIP6_IN"
    in_ns "$who" python3 "$here/announce.py" out0 "$VIP4_OUT" "$VIP6_OUT"
}

# ---- the daemons ----

start_daemon() { # FIREWALL LOCAL PEER
    local who=$1 tries=0 binary
    binary=$(binary_of "$who")
    mkdir "$dir/$who"
    sed -e "s|@LOCAL@|$2|; s|@PEER@|$3|; s|@DIRECTORY@|$dir/$who|" \
        "$here/conntrackd.conf.in" >"$dir/$who/conntrackd.conf"
    ip netns exec "$lab-$who" "$binary" -C "$dir/$who/conntrackd.conf" \
        >"$dir/$who/stdout" 2>"$dir/$who/stderr" &
    echo $! >"$dir/$who/pid"
    disown
    until control "$who" -s 2>/dev/null | grep -q cache; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ] || ! kill -0 "$(cat "$dir/$who/pid")" 2>/dev/null; then
            die "$binary did not start on $who"
        fi
        sleep 0.1
    done
}

count_lines() { grep -c 'src=' "$1" || true; }

show_cache() { # FIREWALL OPTION: the first lines, and how many there are
    control "$1" "$2" >"$dir/cache"
    head -n 4 "$dir/cache" | cut -c 1-150 | sed 's/^/  /'
    note "... $(count_lines "$dir/cache") connections in all"
}

# ---- the traffic ----

start_traffic() {
    ip netns exec "$lab-server" python3 "$here/traffic.py" serve 7000 7001 &
    disown
    ip netns exec "$lab-client" python3 "$here/traffic.py" serve 7000 &
    disown
    sleep 0.5
    drive client tcp4-snat=tcp,10.22.0.10,7000,8 tcp6=tcp,fd22::10,7000,6 \
        tcp6-snat=tcp,fd22::10,7001,4 udp4-snat=udp,10.22.0.10,7000,6 \
        udp6=udp,fd22::10,7000,4 bulk4-snat=bulk,10.22.0.10,7000,1 \
        bulk6=bulk,fd22::10,7000,1
    drive server tcp4-dnat=tcp,10.22.0.1,8080,6 udp4-dnat=udp,10.22.0.1,8080,4
}

drive() { # HOST CLASS...
    local who=$1 tries=0
    shift
    # Not in_ns: "ip" becomes the program, so $! is the process that gets the signals.
    ip netns exec "$lab-$who" python3 "$here/traffic.py" drive "$dir/$who.json" "$@" &
    drivers+=($!)
    until [ -e "$dir/$who.json" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 150 ] || ! kill -0 "$!" 2>/dev/null; then die "no traffic from $who"; fi
        sleep 0.1
    done
}

# ---- the story ----

started=$SECONDS
say "Two firewalls, fw1 and fw2, between a client and a server; a sync link between the two."
note "Strict rules on both: no entry in connection tracking, no way through. IPv4 behind source"
note "translation with random ports, a translated service, IPv6 routed and translated."
make_network
own_addresses fw1

say "Start $daemon on fw1 and $peer on fw2. fw1 is the gateway."
start_daemon fw1 10.33.0.1 10.33.0.2
start_daemon fw2 10.33.0.2 10.33.0.1

say "Open 40 connections through fw1 that talk all the time, for $seconds seconds."
start_traffic
sleep "$seconds"

say "What fw1 knows (conntrackd -i, internal cache):"
show_cache fw1 -i
say "What fw2 knows about it (conntrackd -e, external cache):"
show_cache fw2 -e
note "fw2's kernel: $(in_ns fw2 conntrack -L 2>/dev/null | grep -c 'src=10.[12]\|src=fd' || true)" \
    "of these connections so far."

# From now on only replicated state can let a packet through: nothing new is let in.
in_ns fw1 nft flush chain inet fw newcomers
in_ns fw2 nft flush chain inet fw newcomers

say "${red}fw1 dies:${plain}${bold} all cables out, the daemon killed with SIGKILL." \
    "New connections are refused by now."
for host in client server; do ip -n "$lab-$host" link set port1 down; done
ip -n "$lab-fw2" link set sync down
kill -KILL "$(cat "$dir/fw1/pid")" 2>/dev/null || die "the daemon of fw1 had already ended"
kill -USR1 "${drivers[@]}"

if [ -n "$commit" ]; then
    say "fw2 takes over: conntrackd -c puts the external cache into the kernel, then the" \
        "addresses move."
    control fw2 -c >/dev/null || die "conntrackd -c failed on fw2"
else
    say "fw2 takes over without conntrackd -c: only the addresses move."
fi
own_addresses fw2
note "fw2's kernel: $(in_ns fw2 cat /proc/sys/net/netfilter/nf_conntrack_count) entries."

say "$AFTER_SECONDS seconds of traffic through fw2."
sleep "$AFTER_SECONDS"
if [ -n "$keep" ]; then
    kill -USR2 "${drivers[@]}"
    sleep 0.5
else
    kill -TERM "${drivers[@]}"
    wait "${drivers[@]}" || die "the traffic broke off"
fi

say "Result, $((SECONDS - started)) seconds after the start"
finished=1
if python3 "$here/traffic.py" table "$dir/client.json" "$dir/server.json"; then
    say "${green}Every connection lives.${plain}"
else
    say "${red}Connections were lost.${plain}"
    exit 1
fi
