using System.IO;
using System.Linq;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>What the integration tests need from the machine, and where it is.</summary>
/// <remarks>
/// CONNTRACKD_BINARY names the program under test (default out/conntrackd), CONNTRACKD_ORIGINAL
/// the C daemon that it is paired with (default /usr/sbin/conntrackd). With the C daemon as both,
/// the tests show what holds for the original; those that ask for more fail then.
/// </remarks>
internal static class Requirements
{
    internal static string Binary { get; } =
        Environment.GetEnvironmentVariable("CONNTRACKD_BINARY")
        ?? Path.Combine(Repository.Root, "out", "conntrackd");

    internal static string Original { get; } =
        Environment.GetEnvironmentVariable("CONNTRACKD_ORIGINAL") ?? "/usr/sbin/conntrackd";

    internal static string LoadSources { get; } =
        Path.Combine(Repository.Root, "..", "shared", "perf");

    internal static bool HasOriginal => File.Exists(Original);

    /// <summary>Why no lab can be built here; null if one can.</summary>
    internal static string? MissingForLab()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return "integration: not root, no network namespaces";
        }
        foreach (string program in new[] { "ip", "nft", "conntrack", "sysctl", "python3" })
        {
            if (!Shell.Has(program))
            {
                return $"integration: no program {program}";
            }
        }
        return File.Exists(Binary) ? null : $"integration: no {Binary}, run ./build.sh build";
    }

    internal static string? MissingForLoad() => MissingForLab()
        ?? (!Shell.Has("cc") ? "integration: no C compiler for the load generator"
            : !File.Exists(Path.Combine(LoadSources, "ctload.c"))
                ? "integration: the load generator is not at hand (../shared/perf)" : null);

    internal static string? MissingForMixedPairs() => MissingForLab()
        ?? (HasOriginal ? null
            : $"integration: no {Original} (package conntrackd), no mixed pairs");
}

/// <summary>A theory that needs the load generator and the original.</summary>
internal sealed class MixedLoadTheoryAttribute : TheoryAttribute
{
    public MixedLoadTheoryAttribute() =>
        Skip = Requirements.MissingForLoad() ?? Requirements.MissingForMixedPairs();
}

/// <summary>A fact that needs the lab; skipped with the reason where there is none.</summary>
internal sealed class LabFactAttribute : FactAttribute
{
    public LabFactAttribute() => Skip = Requirements.MissingForLab();
}

/// <summary>A theory that needs the lab.</summary>
internal sealed class LabTheoryAttribute : TheoryAttribute
{
    public LabTheoryAttribute() => Skip = Requirements.MissingForLab();
}

/// <summary>A theory that needs the lab and the load generator.</summary>
internal sealed class LoadTheoryAttribute : TheoryAttribute
{
    public LoadTheoryAttribute() => Skip = Requirements.MissingForLoad();
}

/// <summary>A fact that needs the lab and the load generator.</summary>
internal sealed class LoadFactAttribute : FactAttribute
{
    public LoadFactAttribute() => Skip = Requirements.MissingForLoad();
}

/// <summary>Says aloud that the C daemon is not there to be paired with.</summary>
internal sealed class MixedPairsFactAttribute : FactAttribute
{
    public MixedPairsFactAttribute() => Skip = Requirements.MissingForMixedPairs();
}

/// <summary>Which daemons face each other, fw1 first, and over which link.</summary>
public static class Pairs
{
    internal const string OursOurs = "ours-ours", OursOriginal = "ours-original",
        OriginalOurs = "original-ours";

    /// <summary>Every pair.</summary>
    public static TheoryData<string> Each => [.. Names()];

    /// <summary>Every pair over UDP.</summary>
    public static TheoryData<string, string> OverUdp => Cross(["udp"]);

    /// <summary>Every pair over UDP and over multicast.</summary>
    public static TheoryData<string, string> OverEveryLink => Cross(["udp", "multicast"]);

    /// <summary>Every pair whose active firewall runs our daemon, over UDP.</summary>
    public static TheoryData<string, string> OursActive
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string pair in Names().Where(name => name != OriginalOurs))
            {
                data.Add(pair, "udp");
            }
            return data;
        }
    }

    /// <summary>Every pair whose backup firewall runs our daemon, over UDP.</summary>
    public static TheoryData<string, string> OriginalOrOursActive
    {
        get
        {
            var data = new TheoryData<string, string> { { OursOurs, "udp" } };
            if (Requirements.HasOriginal)
            {
                data.Add(OriginalOurs, "udp");
            }
            return data;
        }
    }

    internal static (string Firewall1, string Firewall2) Binaries(string pair) => pair switch
    {
        OursOurs => (Requirements.Binary, Requirements.Binary),
        OursOriginal => (Requirements.Binary, Requirements.Original),
        OriginalOurs => (Requirements.Original, Requirements.Binary),
        _ => throw new ArgumentException($"unknown pair {pair}", nameof(pair)),
    };

    internal static string[] Names() =>
        Requirements.HasOriginal ? [OursOurs, OursOriginal, OriginalOurs] : [OursOurs];

    private static TheoryData<string, string> Cross(string[] links)
    {
        var data = new TheoryData<string, string>();
        foreach (string pair in Names())
        {
            foreach (string link in links)
            {
                data.Add(pair, link);
            }
        }
        return data;
    }
}

/// <summary>The line in the test report that tells whether mixed pairs were run.</summary>
public sealed class PairsTests
{
    [MixedPairsFact]
    public void The_original_daemon_is_here_to_be_paired_with() =>
        Assert.Contains("onnection tracking", Shell.Run(Requirements.Original, "-v").Output);
}
