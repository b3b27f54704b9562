using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Conntrackd.Control;
using Conntrackd.Tests.Linux;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Somebody sends to the sync port, or asks at the control socket, as fast as the machine can:
/// what the real peer says arrives all the same.
/// </summary>
/// <remarks><code>
/// fw1  daemon --- 20,000 lives, then 4,000 flows ---&gt;  fw2  daemon
///      flood  --- 64 datagrams a call, no pause ------&gt;
/// </code></remarks>
public sealed class HostileLoadTests(ITestOutputHelper output)
{
    private const int Lives = 20_000, Rate = 4_000, Flows = 4_000, Clients = 1000;
    private const double SettleSeconds = 60;
    private const string Stranger = "10.33.0.99";

    [LoadTheory]
    [InlineData("garbage from another address", Stranger, false)]
    [InlineData("garbage with the peer's own address", "10.33.0.1", false)]
    [InlineData("garbage with the peer's own address, sealed link", "10.33.0.1", true)]
    public void A_flood_on_the_sync_port_takes_nothing_from_the_real_peer(
        string name, string source, bool isSealed)
    {
        using TemporaryDirectory directory = new();
        string keys = directory.File("key");
        if (isSealed) { Shell.Run(Requirements.Binary, "--generate-key", keys).Checked(); }
        using var nodes = new Pair(Pairs.OursOurs, new DaemonConfig
        {
            LinkMore = _ => isSealed ? $"KeyFile {keys}" : "",
        });
        if (source == Stranger)
        {
            nodes.Lab.Run(1, "ip", "addr", "add", source + "/24", "dev", "sync").Checked();
        }
        long before = nodes.Backup.ResidentKilobytes;
        using var flood = new Flood(nodes.Lab.Namespace(1), source, Lab.SyncAddress(2));
        string equal = Replicate(nodes);
        (long sent, double seconds) = flood.Stop();
        long refused = source == Stranger ? 0
            : nodes.Backup.Counter("network", isSealed ? "Not sealed" : "Malformed messages");
        Assert.True(source == Stranger || refused > 0, nodes.Backup.Log);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: {name}: {sent / seconds:N0} datagrams/s, {refused:N0} of {sent:N0} counted "
            + $"as refused, {equal}, memory {before} to {nodes.Backup.ResidentKilobytes} kB"));
    }

    [LoadFact]
    public void A_thousand_clients_that_ask_without_end_take_nothing_from_replication()
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        long before = nodes.Backup.ResidentKilobytes;
        using var stop = new CancellationTokenSource();
        long start = Stopwatch.GetTimestamp();
        const int Threads = 4;
        Task<long>[] hammers = [.. Enumerable.Range(0, Threads).Select(
            seed => Task.Factory.StartNew(
                () => Hammer(nodes.Backup.SocketPath, Clients / Threads, seed, stop.Token),
                stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        string equal = Replicate(nodes);
        stop.Cancel();
        long asked = hammers.Sum(hammer => hammer.Result);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Assert.True(asked > Clients, $"only {asked} requests");
        Wait.Until("others are answered", 30, () => nodes.Backup.Tell("-s").Length > 0);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"measured: {Clients} clients at the control socket: {asked / seconds:N0} "
            + $"requests/s, {equal}, memory {before} to {nodes.Backup.ResidentKilobytes} kB"));
    }

    // Under the flood; says what became of the real peer's messages.
    private static string Replicate(Pair nodes)
    {
        nodes.Load.Churn(1, Lives, first: 100_000, Rate);
        nodes.Load.Inject(1, Flows);
        double seconds = nodes.AwaitReplicated(SettleSeconds, Flows);
        Assert.True(nodes.Backup.IsRunning, nodes.Backup.Log);
        long lost = nodes.Backup.Counter("network", "Packets lost");
        return string.Create(CultureInfo.InvariantCulture,
            $"{lost} of the peer's messages lost on the way, tables equal {seconds:F1} s after "
            + $"the load and under the flood");
    }

    // Each client asks for statistics, a dump or nonsense, reads a little and hangs up.
    private static long Hammer(string path, int clients, int seed, CancellationToken stop)
    {
        var address = new UnixDomainSocketEndPoint(path);
        var random = new Random(seed);
        var sockets = new Socket?[clients];
        byte[] answer = new byte[512], request = new byte[4];
        long asked = 0;
        for (int at = 0; !stop.IsCancellationRequested; at = (at + 1) % clients)
        {
            ref Socket? socket = ref sockets[at];
            try
            {
                if (socket is { Available: > 0 }) { socket.Receive(answer); }
                socket?.Dispose();
                socket = new Socket(AddressFamily.Unix, SocketType.Stream, 0) { Blocking = false };
                socket.Connect(address);
                uint number = random.Next(3) switch
                {
                    0 => (uint)ControlRequest.Statistics,
                    1 => (uint)ControlRequest.DumpExternal,
                    _ => (uint)random.Next(),
                };
                BitConverter.TryWriteBytes(request, number);
                socket.Send(request);
                asked++;
            }
            catch (SocketException)
            {
                // The daemon has no room just now, or hung up: another try in the next round.
                socket?.Dispose();
                socket = null;
            }
        }
        foreach (Socket? socket in sockets) { socket?.Dispose(); }
        return asked;
    }
}
