using System.Collections.Generic;
using System.IO;
using System.Net.Sockets;
using Conntrackd.Control;
using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>Clients that misuse the control socket while the daemon replicates.</summary>
public sealed class CrowdedSocketTests
{
    private const int Clients = 1000, Flows = 200_000, More = 5_000;

    /// <summary>
    /// A thousand clients at once: a third says nothing, a third half a request, a third asks for a
    /// dump and stops reading in the middle of it.
    /// </summary>
    [LoadFact]
    public void Bad_clients_neither_stop_replication_nor_take_memory_nor_keep_others_away()
    {
        using var pair = new Pair(Pairs.OursOurs, "udp");
        pair.Load.Inject(1, Flows);
        pair.AwaitReplicated(60, Flows);
        long memoryBefore = pair.Active.ResidentKilobytes;
        List<Socket> clients = Connect(pair.Active.SocketPath);
        Assert.InRange(clients.Count, 32, Clients);

        pair.Load.Inject(1, More, first: Flows);
        pair.AwaitReplicated(20, Flows + More);

        string process = $"/proc/{pair.Active.ProcessId}/fd";
        Assert.InRange(Directory.GetFiles(process).Length, 1, 100);
        Assert.InRange(pair.Active.ResidentKilobytes, 0, memoryBefore + 32 * 1024);
        Wait.Until("others are answered", 60, () => pair.Active.Tell("-s").Length > 0);
        clients.ForEach(client => client.Dispose());
        Assert.Equal(0, pair.Active.Stop());
    }

    /// <summary>All that find room: the kernel refuses the others at once.</summary>
    private static List<Socket> Connect(string path)
    {
        var address = new UnixDomainSocketEndPoint(path);
        byte[] dump = BitConverter.GetBytes((uint)ControlRequest.DumpInternal);
        byte[][] says = [[], dump[..2], dump];
        var connected = new List<Socket>();
        for (int i = 0; i < Clients; i++)
        {
            var client = new Socket(AddressFamily.Unix, SocketType.Stream, 0) { Blocking = false };
            try
            {
                client.Connect(address);
            }
            catch (SocketException)
            {
                client.Dispose();
                continue;
            }
            client.Send(says[i % says.Length]);
            connected.Add(client);
        }
        return connected;
    }
}
