using System.Linq;
using System.Text;
using Conntrackd.Config;
using Xunit;

namespace Conntrackd.Tests.Config;

/// <summary>Ways to write a configuration in a test.</summary>
internal static class Parsing
{
    internal const string Unix = "UNIX { Path /run/a.ctl }\n";
    internal const string Udp = "UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 "
        + "Port 3780 Interface eth2 }\n";

    internal static ConfigResult Parse(string text) =>
        ConfigParser.Parse("a.conf", Encoding.UTF8.GetBytes(text));

    internal static ConfigResult ParseBytes(byte[] text) => ConfigParser.Parse("a.conf", text);

    /// <summary>Options of a file without any remark.</summary>
    internal static Options Clean(string text)
    {
        ConfigResult result = Parse(text);
        Assert.Empty(result.Diagnostics.Select(d => d.Render()));
        return result.Options!;
    }

    /// <summary>Options of a file with warnings only, which are compared.</summary>
    internal static Options Warned(string text, params string[] warnings)
    {
        ConfigResult result = Parse(text);
        Assert.Equal(warnings, Messages(result));
        Assert.NotNull(result.Options);
        return result.Options;
    }

    /// <summary>Compares all remarks about a file that has errors.</summary>
    internal static void Refused(string text, params string[] messages)
    {
        ConfigResult result = Parse(text);
        Assert.Equal(messages, Messages(result));
        Assert.Null(result.Options);
    }

    /// <summary>A file whose section General holds <paramref name="body"/> in line 2.</summary>
    internal static string General(string body) => $"General {{ {Unix}{body}\n}}\n";

    /// <summary>A file whose section Sync holds <paramref name="body"/> from line 4 on.</summary>
    internal static string InSync(string body) =>
        $"General {{ {Unix}}}\nSync {{\n{body}\n}}\n";

    private static string[] Messages(ConfigResult result) =>
        result.Diagnostics.Select(d => d.ToString()["a.conf:".Length..]).ToArray();
}
