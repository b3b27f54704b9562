using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// One cell of the matrix: which daemons in which mode, over which link, with the caches or with
/// the external cache off. Runs in a lab that other cells were run in.
/// </summary>
/// <remarks>
/// Both firewalls have flows: fw1 one of every kind and a few hundred more, of which some change
/// and some end, fw2 fifty. With caches both commit in the end, without both have all by then: the
/// kernel tables are equal, with TCP states, both tuples (the translations), marks and zones.
/// </remarks>
internal sealed record MatrixCell(string Pair, string Mode, string Link, bool HasCaches)
{
    internal static readonly string[] Modes = ["FTFW", "NOTRACK", "ALARM"];
    internal static readonly string[] Links =
        ["udp", "udp6", "multicast", "multicast6", "tcp", "tcp6"];

    private static readonly bool[] s_trueFalse = [true, false];

    private const double EqualSeconds = 15;
    private const int Flows = 300, Changed = 100, Ended = 50, OfTheOther = 50;

    // What happens to three of the kinds: a translated flow gets a mark, states go on, one ends.
    private static readonly string[] s_changes =
    [
        "-U -f ipv6 -s fd50::4 -m 9",
        "-U -s 10.50.3.1 -p tcp --state FIN_WAIT",
        "-U -s 10.50.0.1 -p tcp --state ESTABLISHED -m 3",
        "-D -s 10.50.1.1 -p udp",
    ];

    /// <summary>Runs it; returns the seconds from the last change to equal tables.</summary>
    internal double Run(Lab lab, LoadTool load, int number)
    {
        (string binary1, string binary2) = Pairs.Binaries(Pair);
        var config = new DaemonConfig { Link = Link, Mode = ModeText };
        string name = string.Create(CultureInfo.InvariantCulture, $"-{number}");
        var daemons = new[]
        {
            new DaemonProcess(lab, 1, binary1, config, name),
            new DaemonProcess(lab, 2, binary2, config, name),
        };
        try
        {
            if (Link.StartsWith("tcp", StringComparison.Ordinal)) { StartConnected(daemons); }
            else
            {
                Array.ForEach(daemons, daemon => daemon.Launch());
                Array.ForEach(daemons, daemon => daemon.AwaitAnswer());
            }
            Fill(lab, load);
            return HasCaches ? AwaitCaches(lab, daemons) : AwaitKernels(lab);
        }
        catch (Exception error) when (error is TimeoutException or InvalidOperationException)
        {
            throw new InvalidOperationException(
                $"{this}: {error.Message}\n{daemons[0].Log}\n{daemons[1].Log}", error);
        }
        finally
        {
            foreach (DaemonProcess daemon in daemons.Where(one => one.IsRunning)) { daemon.Stop(); }
            for (int firewall = 1; firewall <= 2; firewall++)
            {
                lab.Run(firewall, "conntrack", "-F").Checked();
            }
        }
    }

    // The original last: if nobody listens yet, it tries again only when it has something to say.
    // In ALARM it does not show its connection before it has something to send; all is repeated.
    private void StartConnected(DaemonProcess[] daemons)
    {
        foreach (DaemonProcess daemon in daemons.OrderBy(daemon => daemon.IsOriginal))
        {
            daemon.Launch();
            daemon.AwaitAnswer();
        }
        if (Mode != "ALARM") { Array.ForEach(daemons, daemon => daemon.AwaitConnected()); }
    }

    private string ModeText => Mode switch
    {
        "ALARM" => "ALARM { RefreshTime 2 CacheTimeout 60 }",
        _ => $"{Mode} {{ DisableExternalCache {(HasCaches ? "off" : "on")} }}",
    };

    private static void Fill(Lab lab, LoadTool load)
    {
        string path = lab.PathOf("kinds.conntrack");
        File.WriteAllLines(
            path, FlowKinds.All.Select(kind => string.Join(' ', kind.CreateArguments)));
        lab.Run(1, "conntrack", "-R", path).Checked();
        load.Inject(1, Flows);
        load.Inject(2, OfTheOther, first: 10 * Flows);
        Array.ForEach(s_changes, change => lab.Run(1, "conntrack", change.Split(' ')).Checked());
        load.Update(1, Changed);
        load.Delete(1, Ended, first: Flows - Ended);
    }

    private static double AwaitCaches(Lab lab, DaemonProcess[] daemons)
    {
        double seconds = Await(() => Array.Find([.. daemons.Select(daemon => ListingText.Difference(
            ListingText.Original(lab.KernelListing(3 - daemon.Firewall)),
            ListingText.Original(daemon.Tell("-e"))))], text => text.Length > 0) ?? "");
        Array.ForEach(daemons, daemon => daemon.Tell("-c"));
        return seconds + AwaitKernels(lab);
    }

    private static double AwaitKernels(Lab lab) => Await(() =>
    {
        string[] one = ListingText.Kernel(lab.KernelListing(1));
        string difference = ListingText.Difference(one, ListingText.Kernel(lab.KernelListing(2)));
        // One kind ended, and two cannot be compared.
        int expected = FlowKinds.All.Count(kind => kind.Name is not ("gre" or "udplite"))
            - 1 + Flows - Ended + OfTheOther;
        return difference.Length == 0 && one.Length != expected
            ? $"{one.Length} flows instead of {expected}" : difference;
    });

    private static double Await(Func<string> difference) =>
        Wait.Until("equal", EqualSeconds, difference, text => text.Length == 0);

    /// <summary>The cells, those of one row of the table after each other.</summary>
    /// <remarks>ALARM has no DisableExternalCache, in either daemon (sync.md 19).</remarks>
    internal static IEnumerable<MatrixCell> All =>
        from mode in Modes
        from hasCaches in s_trueFalse
        where hasCaches || mode != "ALARM"
        from pair in Pairs.Names()
        from link in Links
        select new MatrixCell(pair, mode, link, hasCaches);

    /// <summary>Its row of the table.</summary>
    internal string Row => $"{Mode,-7} {(HasCaches ? "caches on" : "external off"),-12} {Pair,-13}";
}
