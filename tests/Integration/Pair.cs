namespace Conntrackd.Tests.Integration;

/// <summary>A lab with a daemon on each firewall; fw1 is the active one.</summary>
internal sealed class Pair : IDisposable
{
    internal Pair(string pair, DaemonConfig config)
        : this(pair, config, config)
    {
    }

    /// <summary>A lab whose firewalls are configured differently.</summary>
    /// <param name="pair">Which daemons.</param>
    /// <param name="active">For fw1.</param>
    /// <param name="backup">For fw2.</param>
    /// <param name="prepare">What is done to the lab before the daemons start.</param>
    internal Pair(
        string pair, DaemonConfig active, DaemonConfig backup, Action<Lab>? prepare = null)
    {
        (string binary1, string binary2) = Pairs.Binaries(pair);
        Lab = new Lab();
        try
        {
            prepare?.Invoke(Lab);
            Active = new DaemonProcess(Lab, 1, binary1, active);
            Backup = new DaemonProcess(Lab, 2, binary2, backup);
            Load = new LoadTool(Lab);
            Active.Start();
            Backup.Start();
        }
        catch
        {
            Lab.Dispose();
            throw;
        }
    }

    internal Pair(string pair, string link)
        : this(pair, new DaemonConfig { Link = link })
    {
    }

    internal Lab Lab { get; }

    internal DaemonProcess Active { get; }

    internal DaemonProcess Backup { get; }

    internal LoadTool Load { get; }

    public void Dispose() => Lab.Dispose();

    /// <summary>
    /// Waits until fw2's external cache equals fw1's kernel table; returns the seconds that took.
    /// </summary>
    internal double AwaitReplicated(double seconds, int flows)
    {
        try
        {
            return Wait.Until(
                $"fw2's external cache has fw1's {flows} flows",
                seconds,
                () => Load.KernelAgainstListing(Backup, "-e"),
                difference => difference.IsNone && difference.Same == flows);
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException($"{error.Message}\n{Active.Log}\n{Backup.Log}");
        }
    }

    /// <summary>Waits until fw2 lists so many external flows, whatever fw1 has.</summary>
    internal void AwaitOnlyFlows(int flows) => Wait.Until(
        $"fw2 lists {flows} flows", 5,
        () => Backup.Tell("-e").AsSpan().Count('\n'), count => count == flows);
}
