#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# build.sh - builds, tests, shows and installs conntrackd.
#
#   ./build.sh build [--dynamic] [--arch x64 | arm64]
#                                      release binary at out/conntrackd: one static file that
#                                      runs in an empty root (--dynamic: links to the C library);
#                                      for the other architecture at out/ARCH/conntrackd
#   ./build.sh test [--filter EXPR]    builds everything, runs all tests; the last line reads
#                                      "N passed, N failed, N skipped"
#   ./build.sh simulate N [SEED]       N random schedules of each mode, from SEED (1) on: clusters
#                                      of engines on a network that loses, overtakes and is cut
#   ./build.sh fuzz MINUTES [SEED]     damaged and hostile input for every reader of bytes from
#                                      outside, the time divided among them; what fails is kept
#                                      in out/fuzz
#   ./build.sh fuzz --replay TAPE      gives a kept input to its reader again
#   ./build.sh soak MINUTES [EVERY]    builds, then churn with loss and restarts for so long: tables
#                                      equal in the end, memory flat (root); a restart every so
#                                      many minutes (1), 0: none
#   ./build.sh kill COUNT              builds, then kills (SIGKILL) one of two daemons under load so
#                                      often, each time at another moment: tables equal (root)
#   ./build.sh demo [--keep] [--with PATH]
#                                      two firewalls, live connections, one firewall dies (root)
#                                      --keep leaves the lab running, --with shows another daemon
#   ./build.sh bench [--quick | --sweep]
#                                      measures the hot loops, and compares with the C daemon
#                                      where the testbed is at hand (../shared/perf), 25 minutes;
#                                      the tables go to bench/results/CPU, the README and
#                                      docs/performance.md (--quick: small sizes, to
#                                      out/bench/CPU only; --sweep: how cost grows with rate and
#                                      size, 10 minutes)
#   ./build.sh install                 honours DESTDIR and PREFIX (default /usr): program,
#                                      manual pages, completions, service files and
#                                      /etc/conntrackd/conntrackd.conf (an existing one is kept)
#   ./build.sh package                 builds; out/conntrackd_*.deb and out/conntrackd-*.tar.gz
#   ./build.sh clean                   removes everything that was built
#
# libsodium, for the sealed link, is linked statically in every flavour (libsodium-dev).
# A verb that misses a program installs it when run by root on a Debian-like system, otherwise
# it says what is missing. NO_INSTALL=1 never installs anything.

set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"

readonly OUT=out
readonly SDK_MAJOR=10
readonly STATIC_BYTES_MAX=3000000
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export MSBUILDDISABLENODEREUSE=1
scratch= tests_ran= interrupted= arch=

step() { printf '==> %s\n' "$*"; }
warn() { printf 'build.sh: warning: %s\n' "$*" >&2; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }
usage() { sed -n '4,/^$/s/^# \{0,1\}//p' "$0"; }

cleanup() {
    if [ -n "$scratch" ]; then rm -rf "$scratch"; fi
    forbid_services_end
    if [ -n "$tests_ran" ]; then remove_left_labs; fi
}
trap cleanup EXIT
trap 'interrupted=1; exit 130' INT
trap 'interrupted=1; exit 143' TERM
new_scratch() { if [ -z "$scratch" ]; then scratch=$(mktemp -d); fi; }

# Runs a command with its output in a file; shows the file only if the command fails.
quietly() {
    local log
    new_scratch
    log=$scratch/log
    if "$@" >"$log" 2>&1; then
        # Build warnings are errors; what the tools still warn about is worth a line.
        grep -E ': warning ' "$log" | sort -u >&2 || true
        return 0
    fi
    cat "$log" >&2
    die "failed: $*"
}

# ---- what the verbs need ----

is_debian() { command -v apt-get >/dev/null && command -v dpkg >/dev/null; }
may_install() { [ "$(id -u)" = 0 ] && is_debian && [ -z "${NO_INSTALL:-}" ]; }

# The package that brings a program, on Debian and its descendants.
package_of() {
    case $1 in
    ld.lld) echo lld ;;
    ip) echo iproute2 ;;
    nft) echo nftables ;;
    cc) echo gcc ;;
    libsodium) echo libsodium-dev ;;
    ps) echo procps ;;
    perf) echo linux-perf ;;
    ping) echo iputils-ping ;;
    aarch64-linux-gnu-gcc) echo gcc-aarch64-linux-gnu ;;
    x86_64-linux-gnu-gcc) echo gcc-x86-64-linux-gnu ;;
    libsodium:*) echo "libsodium-dev:${1#*:}" ;;
    *) echo "$1" ;;
    esac
}

have() {
    # For another architecture: where a Debian of several architectures has it.
    case $1 in
    libsodium:arm64) [ -e /usr/lib/aarch64-linux-gnu/libsodium.a ]; return ;;
    libsodium:amd64) [ -e /usr/lib/x86_64-linux-gnu/libsodium.a ]; return ;;
    esac
    # Not a program: the archive is linked, the shared library is what the tests load.
    if [ "$1" = libsodium ]; then
        [ -n "$(find /usr/lib /usr/lib64 -name libsodium.a -print -quit 2>/dev/null)" ]
        return
    fi
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || return 1
    # A linker and compiler without the C library's static half cannot link the static binary.
    [ "$1" != clang ] || [ -n "$(find /usr/lib /usr/lib64 -name libc.a -print -quit 2>/dev/null)" ]
}

# Packages with a service would start it: a policy file forbids that while apt runs.
policy_file=
forbid_services_begin() {
    if [ -e /usr/sbin/policy-rc.d ]; then return 0; fi
    policy_file=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >"$policy_file"
    chmod 755 "$policy_file"
}
forbid_services_end() {
    if [ -n "$policy_file" ]; then rm -f "$policy_file"; fi
    policy_file=
}

# install_missing PROGRAM...: installs what it can; prints the names of what is still missing.
install_missing() {
    local program missing=() packages=()
    for program in "$@"; do
        if have "$program"; then continue; fi
        missing+=("$program")
        packages+=("$(package_of "$program")")
        if [ "$program" = clang ]; then packages+=(libc6-dev); fi
    done
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi
    if may_install; then
        step "install ${packages[*]}" >&2
        forbid_services_begin
        apt_install "${packages[@]}" >&2
        forbid_services_end
    fi
    for program in "${missing[@]}"; do
        if ! have "$program"; then echo "$program"; fi
    done
}

apt_install() {
    new_scratch
    export DEBIAN_FRONTEND=noninteractive
    if [ ! -e "$scratch/apt-updated" ]; then
        apt-get update -qq || warn "apt-get update failed, trying with the lists at hand"
        touch "$scratch/apt-updated"
    fi
    apt-get install -y -qq --no-install-recommends "$@" >"$scratch/apt.log" 2>&1 ||
        { tail -n 20 "$scratch/apt.log"; warn "apt-get install failed"; }
    # The C daemon is here to be compared with: it must not start with the machine either.
    case " $* " in
    *" conntrackd "*)
        if [ -d /run/systemd/system ]; then systemctl disable -q conntrackd || true; fi ;;
    esac
}

need() {
    local missing program packages=()
    new_scratch
    install_missing "$@" >"$scratch/missing"
    missing=$(tr '\n' ' ' <"$scratch/missing")
    if [ -z "$missing" ]; then return 0; fi
    for program in $missing; do packages+=("$(package_of "$program")"); done
    die "missing: ${missing% } (Debian packages: ${packages[*]}); install them or run as root"
}

# Tests that miss a program skip themselves and say so; so here it is only a warning.
want() {
    local missing
    new_scratch
    install_missing "$@" >"$scratch/missing"
    missing=$(tr '\n' ' ' <"$scratch/missing")
    if [ -n "$missing" ]; then warn "missing: ${missing% }; tests that need it are skipped"; fi
}

need_dotnet() {
    if ! command -v dotnet >/dev/null; then
        die "dotnet not found: the .NET $SDK_MAJOR SDK is needed (package dotnet-sdk-$SDK_MAJOR.0" \
            "of packages.microsoft.com, or https://dot.net/download)"
    fi
    if ! dotnet --list-sdks | grep -q "^$SDK_MAJOR\\."; then
        die "no .NET $SDK_MAJOR SDK, found: $(dotnet --list-sdks | tr '\n' ' ')"
    fi
}

need_root() {
    if [ "$(id -u)" != 0 ]; then die "$1 needs root: it makes network namespaces"; fi
}

# The architecture to build for, as the runtime names it.
host_arch() {
    case $(uname -m) in
    x86_64) echo x64 ;;
    aarch64) echo arm64 ;;
    *) die "no native AOT runtime for $(uname -m): x86_64 and aarch64 are supported" ;;
    esac
}
runtime_id() { echo "linux-${arch:=$(host_arch)}"; }
is_cross() { [ "${arch:=$(host_arch)}" != "$(host_arch)" ]; }

# The other architecture's C library, libsodium, and compiler (for its startup files).
need_cross() {
    local debian=arm64 compiler=aarch64-linux-gnu-gcc
    if [ "$arch" = x64 ]; then debian=amd64 compiler=x86_64-linux-gnu-gcc; fi
    if ! have "libsodium:$debian" && may_install; then dpkg --add-architecture "$debian"; fi
    need clang ld.lld "$compiler" "libsodium:$debian"
}

# ---- verbs ----

restore() { quietly dotnet restore "$1" --locked-mode -v q; }

# The published binary, with the linker kept from reusing what another flavour left behind.
publish() { # FLAVOUR INTO
    local flavour=$1 into=$2 rid native options=(-p:LinkerFlavor=lld)
    rid=$(runtime_id)
    native=obj/Release/net$SDK_MAJOR.0/$rid/native
    if [ "$flavour" = static ]; then options+=(-p:StaticExecutable=true); fi
    if [ "$(cat "obj/flavour-$arch" 2>/dev/null)" != "$flavour" ]; then rm -rf "$native"; fi
    rm -f "obj/flavour-$arch"
    quietly dotnet publish conntrackd.csproj -c Release -r "$rid" --no-restore -v q -nologo \
        "${options[@]}" -o "obj/publish-$arch"
    echo "$flavour" >"obj/flavour-$arch"
    mkdir -p "$into"
    install -m 755 "obj/publish-$arch/conntrackd" "$into/conntrackd.new"
    mv -f "$into/conntrackd.new" "$into/conntrackd"
    install -m 644 "obj/publish-$arch/conntrackd.dbg" "$into/conntrackd.dbg"
}

# The proof of "one static file": it answers -v in a root that holds nothing else.
run_in_empty_root() {
    new_scratch
    rm -rf "$scratch/root"
    mkdir "$scratch/root"
    cp "$OUT/conntrackd" "$scratch/root/"
    if [ "$(id -u)" = 0 ]; then
        chroot "$scratch/root" /conntrackd -v
    else
        unshare --map-root-user --root="$scratch/root" /conntrackd -v
    fi || die "$OUT/conntrackd does not run in an empty root"
}

verb_build() {
    local flavour=static into=$OUT
    while [ $# -gt 0 ]; do
        case $1 in
        --dynamic) flavour=dynamic ;;
        --arch)
            case ${2:-} in
            x64 | arm64) arch=$2 ;;
            *) die "build: --arch takes x64 or arm64" ;;
            esac
            shift ;;
        *) die "build: unknown option '$1'" ;;
        esac
        shift
    done
    need_dotnet
    if is_cross; then into=$OUT/$arch; need_cross; else need clang ld.lld libsodium; fi
    step "restore packages (locked)"
    restore conntrackd.csproj
    step "publish $flavour release binary for $(runtime_id)"
    publish "$flavour" "$into"
    if is_cross; then
        step "not run: it is for another architecture"
    elif [ "$flavour" = static ]; then
        step "run it in an empty root"
        run_in_empty_root
    else
        step "run it"
        "$OUT/conntrackd" -v || die "$OUT/conntrackd does not run"
    fi
    check_size "$flavour" "$into/conntrackd"
}

# The static binary stays small; docs/performance.md says what it was that made it large.
check_size() {
    local bytes
    bytes=$(stat -c %s "$2")
    step "$2: $bytes bytes"
    if [ "$1" = static ] && [ "$bytes" -gt "$STATIC_BYTES_MAX" ]; then
        die "$2 is larger than $STATIC_BYTES_MAX bytes, see docs/performance.md"
    fi
}

# Why tests were skipped, from the result file: each reason once, with the number of tests.
skip_reasons() {
    awk '
        /<UnitTestResult / { skipped = /outcome="NotExecuted"/ }
        skipped && /<Message>/ {
            sub(/.*<Message>/, ""); sub(/<\/Message>.*/, ""); count[$0]++; skipped = 0
        }
        END { for (r in count) printf "    %d skipped: %s\n", count[r], r }' "$1" | sort
}

# What the tests measured: lines that begin so, with the parameters of the test.
measured() {
    sed -n -e 's/.*<UnitTestResult .*testName="[^"(]*\(([^"]*)\)\{0,1\}".*/\1/;t name' \
        -e 's/.*\(measured: [^<]*\).*/\1/;t line' -e b -e ':name' -e 'h;b' \
        -e ':line' -e 'G;s/\n/ /;s/&quot;//g;s/^/    /p' "$1"
}

run_tests() {
    local results=$scratch/results trx status=0 counters total passed failed
    local minutes=${CONNTRACKD_SOAK_MINUTES:-${CONNTRACKD_FUZZ_MINUTES:-0}}
    dotnet test tests/tests.csproj --no-build -nologo -v q --results-directory "$results" \
        --logger "trx;LogFileName=tests.trx" --logger "console;verbosity=minimal" \
        --blame-hang-timeout $((15 + minutes))m \
        --blame-hang-dump-type none "$@" 2>&1 |
        sed -u -E '/^\[xUnit.net|^  Skipped |^(Results|Data coll|A total|Test run)/d' ||
        status=$?
    trx=$(find "$results" -name tests.trx -print -quit 2>/dev/null)
    counters=$(grep -o '<Counters [^>]*' "$trx" 2>/dev/null || true)
    total=$(attribute total "$counters")
    passed=$(attribute passed "$counters")
    failed=$(attribute failed "$counters")
    if [ -n "$trx" ]; then
        measured "$trx"
        skip_reasons "$trx"
    fi
    # A test host that dies leaves no failed test behind: that is a failure all the same.
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; warn "the test run broke off"; fi
    if [ "$total" = 0 ]; then warn "no test ran"; status=1; fi
    if [ "$passed" = 0 ]; then status=1; fi
    local skipped=$((total - passed - failed))
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" $((skipped > 0 ? skipped : 0))
    [ "$status" = 0 ] && [ "$failed" = 0 ]
}

attribute() { # NAME ELEMENT
    local value
    value=$(printf '%s' "$2" | sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p")
    echo "${value:-0}"
}

# The labs of a test run that was interrupted: those whose process is gone. Right after Ctrl-C
# the process still takes a moment to end.
remove_left_labs() {
    local path name
    if [ -n "$interrupted" ]; then sleep 3; fi
    for path in /run/netns/ctd-it-* "${TMPDIR:-/tmp}"/ctd-it-*; do
        name=${path##*/ctd-it-}
        if [ ! -e "$path" ] || [ -d "/proc/${name%%-*}" ]; then continue; fi
        if [ -d "$path" ]; then
            rm -rf "$path"
        else
            ip netns pids "${path##*/}" | xargs -r kill -KILL 2>/dev/null || true
            ip netns del "${path##*/}" || true
        fi
    done
}

verb_test() {
    local filter=()
    while [ $# -gt 0 ]; do
        case $1 in
        --filter) [ $# -ge 2 ] || die "test: --filter needs an expression"
            filter=(--filter "$2")
            shift ;;
        *) die "test: unknown option '$1'" ;;
        esac
        shift
    done
    verb_build
    want ip nft conntrack conntrackd cc python3 ps
    if [ "$(id -u)" != 0 ]; then warn "not root: tests that need namespaces are skipped"; fi
    step "build the tests"
    restore tests/tests.csproj
    quietly dotnet build tests/tests.csproj --no-restore -v q -nologo
    if [ -f bench/bench.csproj ]; then
        step "build the benchmarks"
        restore bench/bench.csproj
        quietly dotnet build bench/bench.csproj --no-restore -c Release -v q -nologo
    fi
    step "run the tests"
    tests_ran=1
    export CONNTRACKD_BINARY=${CONNTRACKD_BINARY:-$PWD/$OUT/conntrackd}
    run_tests ${filter[@]+"${filter[@]}"}
}

verb_simulate() {
    case ${1:-} in '' | *[!0-9]*) die "simulate: how many schedules?" ;; esac
    case ${2:-1} in *[!0-9]*) die "simulate: '$2' is not a seed" ;; esac
    [ $# -le 2 ] || die "simulate: unknown option '$3'"
    need_dotnet
    new_scratch
    step "build the tests"
    restore tests/tests.csproj
    quietly dotnet build tests/tests.csproj --no-restore -v q -nologo
    step "run $1 schedules of each mode, from seed ${2:-1}"
    CONNTRACKD_SEEDS=$1 CONNTRACKD_FIRST_SEED=${2:-1} \
        run_tests --filter 'FullyQualifiedName~Simulation.SimulationTests'
}

verb_fuzz() {
    local filter='FullyQualifiedName~Fuzz.FuzzTests.No_input'
    if [ "${1:-}" = --replay ]; then
        [ -f "${2:-}" ] || die "fuzz: --replay needs the path of a tape"
        CONNTRACKD_FUZZ_TAPE=$(readlink -f "$2")
        export CONNTRACKD_FUZZ_TAPE
        filter='FullyQualifiedName~Fuzz.FuzzTests.What_failed'
    else
        [[ ${1:-} =~ ^[1-9][0-9]*$ ]] || die "fuzz: how many minutes?"
        [[ ${2:-1} =~ ^[0-9]+$ ]] || die "fuzz: '$2' is not a seed"
        [ $# -le 2 ] || die "fuzz: unknown option '$3'"
        export CONNTRACKD_FUZZ_MINUTES=$1 CONNTRACKD_FUZZ_SEED=${2:-1}
    fi
    need_dotnet
    new_scratch
    step "build the tests"
    restore tests/tests.csproj
    quietly dotnet build tests/tests.csproj --no-restore -v q -nologo
    step "fuzz"
    run_tests --filter "$filter"
}

verb_soak() {
    [[ ${1:-} =~ ^[1-9][0-9]*$ ]] || die "soak: how many minutes?"
    [[ ${2:-1} =~ ^[0-9]+$ ]] || die "soak: a restart every how many minutes?"
    need_root "the soak test"
    export CONNTRACKD_SOAK_MINUTES=$1 CONNTRACKD_SOAK_EVERY=${2:-1}
    verb_test --filter FullyQualifiedName~ChurnTests
}

verb_kill() {
    [[ ${1:-} =~ ^[1-9][0-9]*$ ]] || die "kill: how often?"
    need_root "the test"
    # Each needs half a minute at most: what ended meanwhile is kept so long by the peer.
    export CONNTRACKD_KILLS=$1 CONNTRACKD_SOAK_MINUTES=$1
    verb_test --filter FullyQualifiedName~FaultTests.Killed
}

verb_demo() {
    local keep=() daemon=
    while [ $# -gt 0 ]; do
        case $1 in
        --keep) keep=(--keep) ;;
        --with) [ $# -ge 2 ] || die "demo: --with needs the path of a daemon"
            daemon=$2
            shift ;;
        *) die "demo: unknown option '$1'" ;;
        esac
        shift
    done
    need_root "the demo"
    need ip nft conntrack python3 ps
    if [ -z "$daemon" ]; then
        verb_build
        daemon=$PWD/$OUT/conntrackd
    fi
    [ -x "$daemon" ] || die "demo: '$daemon' is not a program"
    # No exec: this shell still has its scratch directory to remove. Ctrl-C reaches both.
    packaging/demo/demo.sh --daemon "$daemon" ${keep[@]+"${keep[@]}"}
}

# The loops of bench/ as shipped and by BenchmarkDotNet; the lines go to the scratch directory.
bench_loops() {
    local rid
    rid=$(runtime_id)
    step "hot loops, compiled as shipped"
    restore bench/Aot/aot.csproj
    quietly dotnet publish bench/Aot/aot.csproj -c Release -r "$rid" --no-restore -v q -nologo \
        -p:LinkerFlavor=lld -p:StaticExecutable=true -o bench/Aot/obj/publish
    bench/Aot/obj/publish/conntrackd-bench "$@" >"$scratch/aot"
    step "hot loops, BenchmarkDotNet"
    restore bench/bench.csproj
    quietly dotnet build bench/bench.csproj -c Release --no-restore -v q -nologo
    dotnet bench/bin/Release/net$SDK_MAJOR.0/Conntrackd.Bench.dll --lines "$@" >"$scratch/jit"
}

# The testbed needs the kernel's trace events only for counting system calls.
tracing=
tracefs_begin() {
    if [ -d /sys/kernel/tracing/events ]; then return 0; fi
    if mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null; then tracing=1
    else warn "no tracefs: system calls are not counted"; fi
}
tracefs_end() {
    if [ -n "$tracing" ]; then umount /sys/kernel/tracing || warn "tracefs stays mounted"; fi
    tracing=
}

bench_compare() {
    need_root "the comparison with the C daemon"
    need ip nft conntrack conntrackd cc make python3 ps
    install_missing perf >"$scratch/missing"
    if [ -s "$scratch/missing" ]; then warn "no perf: system calls are not counted"; fi
    step "comparison: A = the C daemon, B = $OUT/conntrackd"
    # Compiled in a copy: the testbed's own directory may be read-only.
    cp -r ../shared/perf "$scratch/perf"
    quietly make -s -C "$scratch/perf"
    tracefs_begin
    bench/EndToEnd/compare.sh "$scratch/perf" \
        "$(command -v conntrackd || echo /usr/sbin/conntrackd)" "$PWD/$OUT/conntrackd" \
        "$scratch/samples" "$@" >"$scratch/compare"
    tracefs_end
}

# How cost grows with rate and size; the samples stay beside those of the comparison.
bench_sweep() {
    local into
    [ -f ../shared/perf/bench.py ] || die "bench: --sweep needs ../shared/perf"
    bench_compare --sweep
    into=bench/results/$(python3 bench/report.py --print-slug)/samples
    mkdir -p "$into"
    cp "$scratch/samples"/*.json "$into/"
    python3 bench/plot.py bench/results docs
    cat "$scratch/compare"
}

verb_bench() {
    local quick=() compare=() into=(bench/results --readme README.md)
    while [ $# -gt 0 ]; do
        case $1 in
        --quick) quick=(--quick) into=("$OUT/bench") ;;
        --sweep)
            verb_build
            bench_sweep
            return ;;
        *) die "bench: unknown option '$1'" ;;
        esac
        shift
    done
    verb_build
    need python3
    bench_loops ${quick[@]+"${quick[@]}"}
    if [ -f ../shared/perf/bench.py ]; then
        bench_compare ${quick[@]+"${quick[@]}"}
        compare=(--compare "$scratch/compare" --samples "$scratch/samples")
    else
        warn "no ../shared/perf: no comparison with the C daemon"
    fi
    python3 bench/report.py --aot "$scratch/aot" --jit "$scratch/jit" \
        --binary "$OUT/conntrackd" --into "${into[@]}" ${compare[@]+"${compare[@]}"}
    if [ ${#quick[@]} = 0 ] && [ ${#compare[@]} != 0 ]; then
        python3 bench/plot.py bench/results docs
    fi
}

verb_install() {
    [ $# = 0 ] || die "install: unknown option '$1'"
    if [ ! -x "$OUT/conntrackd" ]; then verb_build; fi
    step "install to ${DESTDIR:-/}"
    packaging/install.sh --destdir "${DESTDIR:-}" --prefix "${PREFIX:-/usr}"
}

verb_package() {
    [ $# = 0 ] || die "package: unknown option '$1'"
    verb_build
    step "make the packages"
    packaging/package.sh "$OUT"
}

verb_clean() {
    [ $# = 0 ] || die "clean: unknown option '$1'"
    step "remove what was built"
    rm -rf "$OUT" bin obj tests/bin tests/obj bench/bin bench/obj bench/Aot/bin bench/Aot/obj \
        TestResults tests/TestResults
}

[ $# -ge 1 ] || { usage >&2; exit 2; }
verb=$1
shift
case $verb in
build | test | simulate | fuzz | soak | kill | demo | bench | install | package | clean)
    "verb_$verb" "$@" ;;
help | -h | --help) usage ;;
*) printf 'build.sh: unknown verb %s\n' "'$verb'" >&2; usage >&2; exit 2 ;;
esac
