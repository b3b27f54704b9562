using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net.Sockets;
using System.Threading.Tasks;
using Conntrackd.Control;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Clients that do not behave: what becomes of the others meanwhile, and of the daemon afterwards.
/// docs/reliability.md has the same list with what the original does.
/// </summary>
public sealed class BadClientTests(ITestOutputHelper output)
{
    private const int PatienceMilliseconds = 4000;
    private const int ManyFlows = 100_000, MoreFlows = 5_000;
    private const double SettleSeconds = 60;
    private const long GrowthKilobytesMax = 8_192;

    private static readonly byte[] s_dump = Request(ControlRequest.DumpInternal);

    // Name, and what the client does while it is connected.
    private static readonly Case[] s_cases =
    [
        new("connects and goes", (_, _) => { }),
        new("sends one byte of four", (s, _) => s.Send(new byte[1])),
        new("sends nothing and stays", (_, wait) => wait()),
        new("sends three bytes and stays", (s, wait) =>
        {
            s.Send(new byte[3]);
            wait();
        }),
        new("asks for what does not exist", (s, _) =>
            s.Send(BitConverter.GetBytes(uint.MaxValue))),
        new("sends a megabyte behind the request", (s, _) =>
        {
            s.Send(Request(ControlRequest.Statistics));
            SendAll(s, new byte[1 << 20]);
        }),
        new("asks for a dump and does not read", (s, wait) =>
        {
            s.Send(s_dump);
            wait();
        }),
        new("asks for a dump, shuts down its sending side", (s, _) =>
        {
            s.Send(s_dump);
            s.Shutdown(SocketShutdown.Send);
        }),
        new("asks for a dump and goes at once", (s, _) => s.Send(s_dump)),
    ];

    public static TheoryData<string> Names => [.. s_cases.Select(c => c.Name)];

    [LoadTheory]
    [MemberData(nameof(Names))]
    public void Others_are_served(string name) =>
        Assert.Equal("served", Outcome(Requirements.Binary, Find(name), flows: 5000));

    [MixedPairsFact]
    public void The_original_is_blocked_by_a_client_that_says_nothing() =>
        Assert.Equal(
            "blocked",
            Outcome(Requirements.Original, Find("sends nothing and stays"), flows: 0));

    [LoadFact]
    public void Clients_that_stay_do_not_keep_root_out()
    {
        using var lab = new Lab();
        DaemonProcess daemon =
            new DaemonProcess(lab, 1, Requirements.Binary, new DaemonConfig()).Start();
        List<Socket> clients = [];
        try
        {
            for (int i = 0; i < 40; i++) { clients.Add(Connect(daemon)); }
            // 32 are taken at a time; each is given up after five seconds without a request.
            Wait.Until("root is served", 30, () => daemon.Ask("-s").ExitCode == 0);
        }
        finally
        {
            foreach (Socket client in clients) { client.Dispose(); }
        }
        Assert.True(daemon.IsRunning, daemon.Log);
    }

    /// <summary>
    /// A pager over a large table: replication goes on, nothing piles up, and whoever goes on
    /// reading gets the rest.
    /// </summary>
    [LoadTheory]
    [InlineData("-i")]
    [InlineData("-e")]
    public void A_client_that_stops_reading_half_way_keeps_nobody(string option)
    {
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig { HashLimit = 2 * ManyFlows });
        nodes.Load.Inject(1, ManyFlows);
        nodes.AwaitReplicated(SettleSeconds, ManyFlows);
        DaemonProcess daemon = option == "-i" ? nodes.Active : nodes.Backup;
        string[] before = Lines(daemon.Tell(option));
        long kilobytes = daemon.ResidentKilobytes;

        using Socket client = Connect(daemon);
        client.Send(Request(
            option == "-i" ? ControlRequest.DumpInternal : ControlRequest.DumpExternal));
        using var stream = new NetworkStream(client);
        using var reader = new StreamReader(stream);
        List<string> listed = [];
        while (listed.Count < ManyFlows / 2) { listed.Add(reader.ReadLine()!); }
        nodes.Load.Inject(1, MoreFlows, first: ManyFlows);
        double seconds = nodes.AwaitReplicated(SettleSeconds, ManyFlows + MoreFlows);
        long grown = daemon.ResidentKilobytes - kilobytes;
        Assert.InRange(grown, long.MinValue, GrowthKilobytesMax);

        listed.AddRange(Lines(reader.ReadToEnd()));
        string[] flows = [.. listed.Select(WithoutAge)];
        Assert.Equal(flows.Length, flows.Distinct().Count());
        Assert.Empty(before.Select(WithoutAge).Except(flows));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: a client that stops half-way through {option} of {ManyFlows} flows: "
            + $"{MoreFlows} more replicated within {seconds:F1} s, memory {kilobytes} kB, then "
            + $"{grown:+0;-0} kB"));
    }

    private static string[] Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string WithoutAge(string line) =>
        line[..line.IndexOf(" [active since ", StringComparison.Ordinal)];

    // "served", "blocked" (a well-behaved client had to wait), or "dead".
    private static string Outcome(string binary, Case bad, int flows)
    {
        using var lab = new Lab();
        DaemonProcess daemon = new DaemonProcess(lab, 1, binary, new DaemonConfig()).Start();
        if (flows > 0) { new LoadTool(lab).Inject(1, flows); }
        bool blocked = false;
        using (Socket client = Connect(daemon))
        {
            void OthersMeanwhile() => blocked = !IsServed(daemon);
            try
            {
                bad.Do(client, OthersMeanwhile);
            }
            catch (SocketException)
            {
                // The daemon has hung up on it, as it may.
            }
        }
        return !IsServed(daemon) || !daemon.IsRunning ? "dead" : blocked ? "blocked" : "served";
    }

    private static bool IsServed(DaemonProcess daemon)
    {
        Task<CommandResult> asked = Task.Run(() => daemon.Ask("-s"));
        return asked.Wait(PatienceMilliseconds) && asked.Result.Output.Contains("cache internal");
    }

    private static Socket Connect(DaemonProcess daemon)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(daemon.SocketPath));
        return socket;
    }

    private static void SendAll(Socket socket, byte[] bytes)
    {
        socket.SendTimeout = PatienceMilliseconds;
        for (int at = 0; at < bytes.Length;) { at += socket.Send(bytes.AsSpan(at)); }
    }

    private static byte[] Request(ControlRequest request) => BitConverter.GetBytes((uint)request);

    private static Case Find(string name) => s_cases.Single(c => c.Name == name);

    private sealed record Case(string Name, Action<Socket, Action> Do);
}
