using System.Collections.Generic;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Helpers that conntrack-tools ships; each has one policy, called as it is.</summary>
/// <remarks>Source: shared spec config, section 10.</remarks>
internal static class KnownHelpers
{
    private static readonly (string Name, bool Tcp, bool Udp)[] s_helpers =
    [
        ("amanda", false, true),
        ("dhcpv6", false, true),
        ("ftp", true, false),
        ("mdns", false, true),
        ("rpc", true, true),
        ("sane", true, false),
        ("slp", false, true),
        ("ssdp", true, true),
        ("tftp", false, true),
        ("tns", true, false),
    ];

    /// <summary>All names.</summary>
    internal static IEnumerable<string> Names
    {
        get
        {
            foreach ((string name, _, _) in s_helpers) { yield return name; }
        }
    }

    /// <summary>True if there is a helper of that name, for any transport.</summary>
    internal static bool IsKnown(string name) =>
        Serves(name, L4Protocol.Tcp) || Serves(name, L4Protocol.Udp);

    /// <summary>True if the helper <paramref name="name"/> watches that transport.</summary>
    internal static bool Serves(string name, byte protocol)
    {
        foreach ((string known, bool tcp, bool udp) in s_helpers)
        {
            if (known == name) { return protocol == L4Protocol.Tcp ? tcp : udp; }
        }
        return false;
    }
}
