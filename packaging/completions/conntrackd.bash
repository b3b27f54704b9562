# SPDX-License-Identifier: GPL-2.0-or-later
# Made from the table of options by tests/Packaging; a test compares them. To make it
# anew: CONNTRACKD_WRITE=1 ./build.sh test --filter FullyQualifiedName~Completion

_conntrackd()
{
    local current=${COMP_WORDS[COMP_CWORD]} words=
    COMPREPLY=()
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -C | --config)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return ;;
    -c | --commit) words='ct expect' ;;
    -f | --flush) words='internal external' ;;
    -F | --flush-kernel) words='ct expect' ;;
    -i | --dump-internal) words='ct expect' ;;
    -e | --dump-external) words='ct expect' ;;
    -s | --stats) words='network cache runtime link rsqueue process queue ct expect vrrp' ;;
    -R | --resync-kernel) words='ct expect' ;;
    -o | --output) words='json extended' ;;
    --generate-key)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return ;;
    esac
    if [[ $current == -* || -z $words ]]; then
        words='-d --daemon
            -C --config
            -v --version
            -h --help
            -c --commit
            -f --flush
            -F --flush-kernel
            -i --dump-internal
            -e --dump-external
            -k --kill
            -s --stats
            -R --resync-kernel
            -n --request-resync
            -B --bulk
            -x --xml
            -t --reset-timers
            -o --output
            --check
            --print-config
            --reload
            --print-reference
            --print-keepalived
            --generate-key'
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _conntrackd conntrackd
