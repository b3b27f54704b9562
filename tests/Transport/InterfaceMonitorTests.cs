using System.Collections.Generic;
using Conntrackd.Linux;
using Conntrackd.Tests.Kernel;
using Conntrackd.Transport;
using Xunit;

namespace Conntrackd.Tests.Transport;

public sealed class InterfaceMonitorTests
{
    [RootFact]
    public void Changes_of_watched_interfaces_are_told() =>
        PrivateNetwork.Run(() =>
        {
            Recorder recorder = new();
            Assert.Equal(
                Errno.None, InterfaceMonitor.TryOpen(recorder, out InterfaceMonitor? monitor));
            Assert.True(monitor!.Watch("lo").IsRunning);
            Assert.Equal(0, monitor.Watch("link_of_15chars").Index);
            Assert.False(monitor.Read(100));
            Assert.Empty(recorder.Changes);

            PrivateNetwork.Command("ip", "link add link_of_15chars type veth peer name far");
            monitor.Read(100);
            Assert.Equal(["link_of_15chars up=False running=False mtu=1500"], recorder.Take());
            PrivateNetwork.Command("ip", "link set link_of_15chars up");
            monitor.Read(100);
            Assert.Equal(["link_of_15chars up=True running=False mtu=1500"], recorder.Take());
            PrivateNetwork.Command("ip", "link set far up mtu 9000");
            PrivateNetwork.Command("ip", "link set link_of_15chars mtu 9000");
            monitor.Read(100);
            Assert.Equal(["link_of_15chars up=True running=True mtu=9000"], recorder.Take());
            Assert.Equal(9000, monitor.StateOf("link_of_15chars").Mtu);
            PrivateNetwork.Command("ip", "link del far");
            monitor.Read(100);
            Assert.Equal(["link_of_15chars up=False running=False mtu=0"], recorder.Take());
            Assert.Equal(0, monitor.StateOf("link_of_15chars").Index);
            monitor.Dispose();
        });

    private sealed class Recorder : ILinkSink
    {
        internal List<string> Changes { get; } = [];

        internal string[] Take()
        {
            string[] taken = [.. Changes];
            Changes.Clear();
            return taken;
        }

        public void OnLinkChanged(
            string name, in NetworkInterface before, in NetworkInterface now) =>
            Changes.Add($"{name} up={now.IsUp} running={now.IsRunning} mtu={now.Mtu}");
    }
}
