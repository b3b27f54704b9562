using System.Diagnostics;
using System.Globalization;
using System.IO;

namespace Conntrackd.Tests.Integration;

/// <summary>A fact that needs the lab, the load generator and keepalived.</summary>
internal sealed class KeepalivedFactAttribute : Xunit.FactAttribute
{
    public KeepalivedFactAttribute() => Skip = Requirements.MissingForLoad()
        ?? (Shell.Has("keepalived") ? null : "integration: no program keepalived");
}

/// <summary>keepalived on one firewall: one instance in a group, one address.</summary>
internal sealed class KeepalivedProcess(Lab lab, int firewall, int priority)
{
    private string PathOf(string name) => lab.PathOf($"ka{firewall}.{name}");

    private Process? _process;

    internal string FifoPath => PathOf("fifo");

    internal string TrackPath => PathOf("sync");

    /// <summary>The VRRP process's number, which the daemon watches.</summary>
    internal string PidPath => PathOf("vrrp.pid");

    internal string Log => File.Exists(PathOf("log")) ? File.ReadAllText(PathOf("log")) : "";

    internal void Start()
    {
        File.WriteAllText(PathOf("conf"), $$"""
            global_defs {
                router_id fw{{firewall}}
                vrrp_version 3
                script_user root
                vrrp_notify_fifo {{FifoPath}} root
            }
            track_file ct_sync {
                file "{{TrackPath}}"
                weight -60
                init_file 1
            }
            vrrp_sync_group FW {
                group {
                    VI
                }
                track_file {
                    ct_sync
                }
            }
            vrrp_instance VI {
                state BACKUP
                interface sync
                virtual_router_id 7
                priority {{priority}}
                advert_int 0.2
                virtual_ipaddress {
                    10.99.0.1/24 dev sync
                }
            }

            """);
        _process = lab.Start(firewall, PathOf("log"), "keepalived", "-n", "-l", "-D", "-P",
            "-f", PathOf("conf"), "-p", PathOf("pid"), "-r", PidPath);
    }

    /// <summary>Kills it and its child at once: no farewell, the address stays.</summary>
    internal void Kill()
    {
        string parent = _process!.Id.ToString(CultureInfo.InvariantCulture);
        string child = File.ReadAllText(PidPath).Trim();
        Shell.Run("kill", "-STOP", parent, child);
        Shell.Run("kill", "-KILL", child, parent);
        _process.WaitForExit();
    }
}
