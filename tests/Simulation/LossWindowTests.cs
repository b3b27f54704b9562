using System.Globalization;
using System.IO;
using System.Runtime.CompilerServices;
using System.Text;
using Conntrackd.Conntrack;
using Conntrackd.Sync;
using Conntrackd.Tests.Cache;
using Conntrackd.Tests.Sync;
using Xunit;

namespace Conntrackd.Tests.Simulation;

/// <summary>
/// How long a burst of flows takes to arrive whole, by loss and by acknowledgement window, in
/// virtual time and so the same on every machine. CONNTRACKD_RECORD=1 writes the table anew: a
/// change of the protocol shows as a change of the table.
/// </summary>
public sealed class LossWindowTests
{
    private const int Flows = 5000;
    private static readonly int[] s_loss = [0, 1, 5, 10, 20, 29];
    private static readonly int[] s_windows = [1, 20, 300, 5000];

    [Fact]
    public void The_table_of_loss_and_window_is_as_recorded()
    {
        var table = new StringBuilder(
            "# milliseconds until 5,000 new flows have arrived and are acknowledged, and\n" +
            "# datagrams that it took, both ways; two nodes, 1,471 bytes, no delay\n" +
            "# loss, %  ACKWindowSize:");
        foreach (int window in s_windows) { table.Append(window.ToString().PadLeft(14)); }
        table.Append('\n');
        foreach (int loss in s_loss)
        {
            table.Append(loss.ToString().PadLeft(8)).Append("                 ");
            foreach (int window in s_windows) { table.Append(Measure(loss, window)); }
            table.Append('\n');
        }
        string path = Path.Combine(Path.GetDirectoryName(Here())!, "loss-window.txt");
        if (Environment.GetEnvironmentVariable("CONNTRACKD_RECORD") is not null)
        {
            File.WriteAllText(path, table.ToString());
        }
        Assert.Equal(File.ReadAllText(path), table.ToString());
    }

    private static string Measure(int loss, int window)
    {
        var random = new Random((loss * 10_000) + window);
        using var pair = new EnginePair(ackWindow: window);
        pair.Pass(SyncEngine.Second);
        pair.Loses = (_, _) => random.Next(100) < loss;
        pair.Seen.Clear();
        pair.Datagrams = 0;
        long start = pair.Now;
        for (int key = 0; key < Flows; key++)
        {
            Flow flow = FlowTableTests.MakeFlow(key, 0);
            pair[0].Engine.OnEvent(FlowEventKind.New, ref flow, announce: true, pair.Now);
        }
        while (pair[1].External.Count < Flows || pair[0].Engine.Ring.Count != 0)
        {
            Assert.True(pair.Now - start < 60 * SyncEngine.Second, $"{loss} % never ends");
            pair.Pass(SyncEngine.Second / 1000);
        }
        string milliseconds = ((pair.Now - start) / 1000).ToString(CultureInfo.InvariantCulture);
        return $"{milliseconds,7} /{pair.Datagrams,5}";
    }

    private static string Here([CallerFilePath] string path = "") => path;
}
