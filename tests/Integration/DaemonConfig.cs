namespace Conntrackd.Tests.Integration;

/// <summary>The configuration of one daemon of the lab; what the tests vary is a member.</summary>
internal sealed record DaemonConfig
{
    internal string Link { get; init; } = "udp";

    /// <summary>Further lines of every link of a firewall.</summary>
    internal Func<int, string> LinkMore { get; init; } = static _ => "";

    /// <summary>Name of the mode and what stands in its block.</summary>
    internal string Mode { get; init; } = """
        FTFW {
                ResendQueueSize 131072
                ACKWindowSize 300
            }
        """;

    /// <summary>Further lines of section General.</summary>
    internal string General { get; init; } = "";

    /// <summary>Further lines of block Options, which the original may not know.</summary>
    internal string Options { get; init; } = "";

    /// <summary>Enough for the bursts of these tests: overruns are made on purpose.</summary>
    internal int EventBufferBytes { get; init; } = 32 * 1024 * 1024;

    internal int EventBufferBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>A program that starts the daemon, with its arguments.</summary>
    internal string[] Wrapper { get; init; } = [];

    /// <summary>The whole text, from the path that the daemon's files start with.</summary>
    internal Func<string, string>? Text { get; init; }

    /// <summary>The text for a firewall; all files of the daemon start with this path.</summary>
    internal string Render(int firewall, string path) => Text?.Invoke(path) ?? $$"""
        Sync {
            Mode {{Mode}}
            {{LinkConfig.Render(Link, firewall, LinkMore(firewall))}}
            Options {
                ExpectationSync {{(ExpectationSync ? "On" : "Off")}}
                {{Options}}
            }
        }
        General {
            HashSize {{HashSize}}
            HashLimit {{HashLimit}}
            LogFile {{path}}.log
            Syslog off
            LockFile {{path}}.lock
            UNIX {
                Path {{path}}.ctl
            }
            NetlinkBufferSize {{EventBufferBytes}}
            NetlinkBufferSizeMaxGrowth {{EventBufferBytesMax}}
            {{General}}
            {{Filter}}
        }

        """;

    internal int HashSize { get; init; } = 32768;

    internal int HashLimit { get; init; } = 524_288;

    /// <summary>The filter; the link's own traffic is left out.</summary>
    internal string Filter { get; init; } = $$"""
        Filter From Userspace {
                Address Ignore {
                    IPv4_address 127.0.0.1
                    IPv4_address {{Lab.SyncAddress(1)}}
                    IPv4_address {{Lab.SyncAddress(2)}}
                }
            }
        """;

    /// <summary>Expectations are replicated.</summary>
    internal bool ExpectationSync { get; init; }
}
