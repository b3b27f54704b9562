# SPDX-License-Identifier: GPL-2.0-or-later
# Made from the table of options by tests/Packaging; a test compares them. To make it
# anew: CONNTRACKD_WRITE=1 ./build.sh test --filter FullyQualifiedName~Completion

function __conntrackd_follows
    set -l words (commandline -opc)
    contains -- $words[-1] $argv
end

complete -c conntrackd -f
complete -c conntrackd -s d -l daemon -d 'run in daemon mode'
complete -c conntrackd -s C -l config -r -F -d 'configuration file path'
complete -c conntrackd -s v -l version -d 'display conntrackd version'
complete -c conntrackd -s h -l help -d 'display this help information'
complete -c conntrackd -s c -l commit -d 'commit external cache to conntrack table'
complete -c conntrackd -n '__conntrackd_follows -c --commit' -a 'ct expect'
complete -c conntrackd -s f -l flush -d 'flush internal and external cache'
complete -c conntrackd -n '__conntrackd_follows -f --flush' -a 'internal external'
complete -c conntrackd -s F -l flush-kernel -d 'flush kernel conntrack table'
complete -c conntrackd -n '__conntrackd_follows -F --flush-kernel' -a 'ct expect'
complete -c conntrackd -s i -l dump-internal -d 'display content of the internal cache'
complete -c conntrackd -n '__conntrackd_follows -i --dump-internal' -a 'ct expect'
complete -c conntrackd -s e -l dump-external -d 'display the content of the external cache'
complete -c conntrackd -n '__conntrackd_follows -e --dump-external' -a 'ct expect'
complete -c conntrackd -s k -l kill -d 'kill conntrack daemon'
complete -c conntrackd -s s -l stats -d 'dump statistics'
complete -c conntrackd -n '__conntrackd_follows -s --stats' -a 'network cache runtime link rsqueue process queue ct expect vrrp'
complete -c conntrackd -s R -l resync-kernel -d 'resync with kernel conntrack table'
complete -c conntrackd -n '__conntrackd_follows -R --resync-kernel' -a 'ct expect'
complete -c conntrackd -s n -l request-resync -d 'request resync with other node (only FT-FW and NOTRACK modes)'
complete -c conntrackd -s B -l bulk -d 'force a bulk send to other replica firewalls'
complete -c conntrackd -s x -l xml -d 'dump cache in XML format (requires -i or -e)'
complete -c conntrackd -s t -l reset-timers -d 'reset the kernel timeout (see PurgeTimeout clause)'
complete -c conntrackd -s o -l output -d 'form of the answer (requires -i, -e or -s)'
complete -c conntrackd -n '__conntrackd_follows -o --output' -a 'json extended'
complete -c conntrackd -l check -d 'check the configuration file, start nothing'
complete -c conntrackd -l print-config -d 'show the settings in force and where they are from'
complete -c conntrackd -l reload -d 'apply the changed configuration file'
complete -c conntrackd -l print-reference -d 'print every directive with an explanation'
complete -c conntrackd -l print-keepalived -d 'print what keepalived.conf needs'
complete -c conntrackd -l generate-key -F -d 'make or extend a key file (see KeyFile)'
