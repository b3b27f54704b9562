using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Conntrackd.Tests.Integration;

/// <summary>How two connection tables differ, in flows.</summary>
internal sealed record TableDifference(long Same, long Missing, long Extra, long Differ)
{
    internal bool IsNone => Missing + Extra + Differ == 0;
}

/// <summary>
/// The load generator of the performance testbed (ctload), compiled once per test run: fills a
/// kernel table through ctnetlink, and compares tables and listings.
/// </summary>
internal sealed class LoadTool
{
    private static readonly Lazy<string> s_program = new(Compile);

    private readonly Lab _lab;

    internal LoadTool(Lab lab) => _lab = lab;

    /// <summary>Creates flows first..first+count-1 in a kernel table.</summary>
    internal void Inject(int firewall, int count, int first = 0) =>
        Load("inject", firewall, count, first);

    /// <summary>The same, flows 0..count-1, so many a second.</summary>
    internal void InjectSlowly(int firewall, int count, int rate) =>
        Load("inject", firewall, count, 0, "-r", Text(rate));

    internal void Update(int firewall, int count, int first = 0) =>
        Load("update", firewall, count, first);

    internal void Delete(int firewall, int count, int first = 0) =>
        Load("delete", firewall, count, first);

    /// <summary>Whole lives (new, update, destroy) at a rate of flows per second.</summary>
    internal void Churn(int firewall, int count, int first, int rate) =>
        Load("life", firewall, count, first, "-r", Text(rate), "--lag", "500");

    /// <summary>A kernel's table, fw1's if not said, against a listing of a daemon.</summary>
    /// <remarks>Original tuple, TCP state and mark: a listing has no more.</remarks>
    internal TableDifference KernelAgainstListing(
        DaemonProcess daemon, string option, int kernelOf = 1) =>
        KernelsAgainstListing(daemon, option, [kernelOf]);

    /// <summary>The tables of several kernels, which have no flow in common, as one.</summary>
    internal TableDifference KernelsAgainstListing(
        DaemonProcess daemon, string option, int[] kernelsOf)
    {
        string kernel = _lab.PathOf("kernel.set"), listing = _lab.PathOf("listing.set");
        var flows = new List<(ulong Tuple, ulong Full, ulong Start)>();
        foreach (int firewall in kernelsOf)
        {
            Tool("count", "-N", _lab.Namespace(firewall), "--orig", "-o", kernel);
            flows.AddRange(MemoryMarshal.Cast<byte, (ulong, ulong, ulong)>(
                File.ReadAllBytes(kernel)));
        }
        if (kernelsOf.Length > 1)
        {
            flows.Sort();
            File.WriteAllBytes(
                kernel, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(flows)));
        }
        byte[] text = Encoding.ASCII.GetBytes(daemon.Tell(option));
        using var input = new MemoryStream(text);
        Shell.RunWithInput(input, s_program.Value, "text", "--orig", "-o", listing).Checked();
        return Difference(kernel, listing);
    }

    /// <summary>Both kernel tables: both tuples, TCP state and mark.</summary>
    internal TableDifference KernelAgainstKernel()
    {
        string[] sets = [_lab.PathOf("kernel1.set"), _lab.PathOf("kernel2.set")];
        for (int firewall = 1; firewall <= 2; firewall++)
        {
            Tool("count", "-N", _lab.Namespace(firewall), "-d", "-o", sets[firewall - 1]);
        }
        return Difference(sets[0], sets[1]);
    }

    private static TableDifference Difference(string left, string right)
    {
        // Its exit status tells that there is a difference; the figures tell which.
        string json = Shell.Run(s_program.Value, "diff", left, right).Output;
        using JsonDocument document = JsonDocument.Parse(json);
        long Figure(string name) =>
            document.RootElement.TryGetProperty(name, out JsonElement e) ? e.GetInt64() : 0;
        return new(Figure("same"), Figure("missing"), Figure("extra"), Figure("differ"));
    }

    private void Load(string mode, int firewall, int count, int first, params string[] more) =>
        Tool([mode, "-N", _lab.Namespace(firewall), "-n", Text(count), "-f", Text(first), .. more]);

    private static void Tool(params string[] arguments) =>
        Shell.Run(s_program.Value, arguments).Checked();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Compile()
    {
        string folder = Directory.CreateTempSubdirectory(
            $"{Lab.Prefix}{Environment.ProcessId}-ctload.").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        string program = Path.Combine(folder, "ctload");
        Shell.Run("cc", "-O2", "-o", program, Path.Combine(Requirements.LoadSources, "ctload.c"))
            .Checked();
        return program;
    }
}
