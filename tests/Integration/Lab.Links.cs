namespace Conntrackd.Tests.Integration;

// Cables between the firewalls: laid, pulled, taken away.
internal sealed partial class Lab
{
    /// <summary>Address on the second link.</summary>
    internal static string SecondAddress(int firewall) => $"10.34.0.{firewall}";

    /// <summary>
    /// Lays a cable: "sync" or "sync2", with the addresses of that link and fe80::N.
    /// </summary>
    internal void Connect(string device)
    {
        int network = device == "sync" ? 33 : 34;
        Ip("-n", Namespace(1), "link", "add", device, "type", "veth", "peer", "name", device,
            "netns", Namespace(2));
        for (int firewall = 1; firewall <= 2; firewall++) { Address(firewall, device, network); }
    }

    // A switch in a namespace of its own; it sends multicast to every port.
    private void ConnectAll()
    {
        Ip("netns", "add", Switch);
        Ip("-n", Switch, "link", "add", "switch", "type", "bridge", "mcast_snooping", "0");
        Ip("-n", Switch, "link", "set", "switch", "up");
        for (int firewall = 1; firewall <= Firewalls; firewall++)
        {
            Ip("-n", Namespace(firewall), "link", "add", "sync", "type", "veth", "peer", "name",
                $"port{firewall}", "netns", Switch);
            Ip("-n", Switch, "link", "set", $"port{firewall}", "master", "switch", "up");
            Address(firewall, "sync", 33);
        }
    }

    private void Address(int firewall, string device, int network)
    {
        string name = Namespace(firewall);
        Ip("-n", name, "addr", "add", $"10.{network}.0.{firewall}/24", "dev", device);
        Ip("-n", name, "addr", "add", $"fd{network}::{firewall}/64", "dev", device, "nodad");
        Ip("-n", name, "addr", "add", $"fe80::{firewall}/64", "dev", device, "nodad");
        Ip("-n", name, "link", "set", device, "up");
    }

    /// <summary>Takes the interfaces of a cable away, on both ends.</summary>
    internal void Disconnect(string device) => Ip("-n", Namespace(1), "link", "del", device);

    /// <summary>Sets the MTU of both ends of "sync".</summary>
    internal void SetMtu(int mtu)
    {
        for (int firewall = 1; firewall <= Firewalls; firewall++)
        {
            Ip("-n", Namespace(firewall), "link", "set", "sync", "mtu", $"{mtu}");
        }
    }

    /// <summary>Switches an end of a cable off; the other loses its carrier.</summary>
    internal void SetLink(int firewall, string device, bool up) =>
        Ip("-n", Namespace(firewall), "link", "set", device, up ? "up" : "down");

    /// <summary>Resets the TCP connections of the links, for as long as it takes.</summary>
    internal void ResetConnections()
    {
        Run(1, "nft", "add table inet cut; add chain inet cut in "
            + "{ type filter hook input priority -10; }; "
            + "add rule inet cut in iifname sync meta l4proto tcp counter reject with tcp reset")
            .Checked();
        System.Threading.Thread.Sleep(300);
        Run(1, "nft", "delete table inet cut").Checked();
    }

    // The rules of the demo know one link only.
    private void TrustSecondLink()
    {
        for (int firewall = 1; firewall <= Firewalls; firewall++)
        {
            Run(firewall, "nft", "insert rule inet fw untracked_in iifname sync2 notrack; "
                + "insert rule inet fw untracked_out oifname sync2 notrack; "
                + "insert rule inet fw input iifname sync2 accept").Checked();
        }
    }
}
