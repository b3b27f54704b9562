using System.Collections.Generic;
using System.Text;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>
/// The effective settings as a configuration file: every setting that counts, one a line, with
/// where its value is from. Read again, the text means the same.
/// </summary>
/// <remarks><code>
/// General {
///     HashSize 65536  # default
///     HashLimit 8192  # conntrackd.conf:12
/// </code>
/// Settings of modes that are not in use are left out. What has no value (a log file that is off)
/// says off; what cannot be said in the language is a comment.
/// </remarks>
internal sealed partial class EffectiveText
{
    private const int IndentWidth = 4;

    private readonly StringBuilder _text = new();
    private readonly Options _options;
    private readonly string _fileName;
    private int _depth;

    private EffectiveText(Options options, string fileName)
    {
        _options = options;
        _fileName = fileName;
    }

    /// <summary>Renders; <paramref name="fileName"/> is shown in the origins.</summary>
    internal static string Render(Options options, string fileName)
    {
        var writer = new EffectiveText(options, fileName);
        if (options.Sync is SyncOptions sync) { writer.WriteSync(sync); }
        if (options.Stats is StatsOptions stats) { writer.WriteStats(stats); }
        writer.WriteGeneral(options);
        if (options.HasHelperSection) { writer.WriteHelpers(options); }
        return writer._text.ToString();
    }

    private void WriteGeneral(Options options)
    {
        Begin("General");
        Setting("General", "HashSize", options.HashSize);
        Setting("General", "HashLimit", options.HashLimit);
        Setting("General", "LogFile", options.LogFile ?? "off");
        Setting("General", "Syslog", FacilityName(options.Syslog));
        Setting("General", "LockFile", options.LockFile);
        Begin("UNIX");
        Setting("UNIX", "Path", options.UnixPath);
        if (options.UnixGroup is string group)
        {
            Setting("UNIX", "Group", group);
            Setting("UNIX", "GroupAccess", options.UnixGroupAccess.ToString());
        }
        else { Comment("Group: not set, only the owner may connect"); }
        End();
        WriteSandbox(options.Sandbox);
        Setting("General", "NetlinkBufferSize", (uint)options.NetlinkBufferBytes);
        Setting("General", "NetlinkBufferSizeMaxGrowth", (uint)options.NetlinkBufferMaxBytes);
        uint resync = options.NetlinkOverrunResyncSeconds;
        Setting("General", "NetlinkOverrunResync", resync == 0 ? "off" : $"{resync}");
        Setting("General", "NetlinkEventsReliable", Switch(options.NetlinkEventsReliable));
        if (options.PollSeconds != 0) { Setting("General", "PollSecs", options.PollSeconds); }
        else { Comment("PollSecs: not set, events are listened to"); }
        Setting("General", "EventIterationLimit", options.EventIterationLimit);
        if (options.Systemd is bool notify) { Setting("General", "Systemd", Switch(notify)); }
        else { Comment("Systemd: not set, the service manager is told if it asks to be"); }
        WriteScheduler(options.Scheduler);
        if (options.Vrrp is VrrpOptions vrrp) { WriteVrrp(vrrp); }
        WriteFilter(options);
        End();
    }

    private void WriteSandbox(SandboxOptions sandbox)
    {
        Begin("Sandbox");
        Setting("Sandbox", "Capabilities", Switch(sandbox.Capabilities));
        Setting("Sandbox", "NoNewPrivileges", Switch(sandbox.NoNewPrivileges));
        Setting("Sandbox", "Files", Switch(sandbox.Files));
        Setting("Sandbox", "SystemCalls", sandbox.SystemCalls switch
        {
            SystemCallPolicy.Off => "off",
            SystemCallPolicy.Kill => "Kill",
            _ => "on",
        });
        End();
    }

    private void WriteScheduler(SchedulerOptions scheduler)
    {
        if (scheduler.Policy == SchedulerPolicy.Normal)
        {
            // What asks for no priority is refused by the kernel, and means this.
            Comment("Scheduler: the system's default");
        }
        Begin("Scheduler");
        Setting("Scheduler", "Type", scheduler.Policy == SchedulerPolicy.Fifo ? "fifo" : "rr");
        Setting("Scheduler", "Priority", scheduler.Priority);
        End();
    }

    private void WriteStats(StatsOptions stats)
    {
        Begin("Stats");
        Setting("Stats", "LogFile", stats.LogFile ?? "off");
        Setting("Stats", "Syslog", FacilityName(stats.Syslog));
        Setting("Stats", "LogFormat", stats.IsJson ? "json" : "text");
        End();
    }

    private void WriteFilter(Options options)
    {
        FlowFilterBuilder filter = options.Filter.Definition;
        if (options.Filter.IsEmpty)
        {
            Comment("Filter: none, every flow counts");
            return;
        }
        Begin($"Filter From {(options.IsFilterFromKernelspace ? "Kernelspace" : "Userspace")}");
        if (filter.ProtocolPolicy != FilterPolicy.None)
        {
            Begin($"Protocol {filter.ProtocolPolicy}");
            for (int protocol = 0; protocol <= byte.MaxValue; protocol++)
            {
                if (filter.Protocols.Contains((byte)protocol))
                {
                    Line(ProtocolNames.NameOf((byte)protocol));
                }
            }
            End();
        }
        if (filter.AddressPolicy != FilterPolicy.None)
        {
            Begin($"Address {filter.AddressPolicy}");
            WriteNetworks("IPv4_address", filter.Ipv4, AddressPrefix.Ipv4LengthMax);
            WriteNetworks("IPv6_address", filter.Ipv6, AddressPrefix.Ipv6LengthMax);
            End();
        }
        if (filter.StatePolicy != FilterPolicy.None)
        {
            Begin($"State {filter.StatePolicy}");
            foreach ((byte state, string name) in ConfigParser.TcpStateNames)
            {
                if (filter.TcpStates.Contains(state)) { Line($"{name} for TCP"); }
            }
            End();
        }
        End();
    }

    private void WriteNetworks(
        string name, IReadOnlyCollection<AddressPrefix> networks, int lengthMax)
    {
        foreach (AddressPrefix network in networks)
        {
            string length = network.Length == lengthMax ? "" : $"/{network.Length}";
            Line($"{name} {AddressText.Format(network.Family, network.Address)}{length}");
        }
    }

    private static string FacilityName(SyslogFacility? facility) =>
        facility switch
        {
            null => "off",
            SyslogFacility.Daemon => "daemon",
            SyslogFacility local => $"local{local - SyslogFacility.Local0}",
        };

    private static string Switch(bool on) => on ? "on" : "off";

    private void Setting(string block, string name, uint value) => Setting(block, name, $"{value}");

    private void Setting(string block, string name, string value)
    {
        string origin = _options.Origins.TryGetValue($"{block}.{name}", out SourcePosition at)
            ? $"{_fileName}:{at.Line}" : "default";
        Line($"{name} {value}  # {origin}");
    }

    private void Begin(string head, SourcePosition? at = null)
    {
        string origin = at is SourcePosition position ? $"  # {_fileName}:{position.Line}" : "";
        Line($"{head} {{{origin}");
        _depth++;
    }

    private void End()
    {
        _depth--;
        Line("}");
    }

    private void Comment(string text) => Line($"# {text}");

    private void Line(string text) =>
        _text.Append(' ', _depth * IndentWidth).Append(text).Append('\n');
}
