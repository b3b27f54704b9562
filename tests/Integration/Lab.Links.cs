using System.Globalization;

namespace Conntrackd.Tests.Integration;

// Cables between the firewalls: laid, pulled, taken away.
internal sealed partial class Lab
{
    /// <summary>Address on the second link.</summary>
    internal static string SecondAddress(int firewall) => $"10.34.0.{firewall}";

    /// <summary>Lays a cable: "sync" or "sync2", with the addresses of that link.</summary>
    internal void Connect(string device)
    {
        int network = device == "sync" ? 33 : 34;
        Ip("-n", Namespace(1), "link", "add", device, "type", "veth", "peer", "name", device,
            "netns", Namespace(2));
        for (int firewall = 1; firewall <= 2; firewall++)
        {
            string name = Namespace(firewall);
            Ip("-n", name, "addr", "add",
                string.Create(CultureInfo.InvariantCulture, $"10.{network}.0.{firewall}/24"),
                "dev", device);
            Ip("-n", name, "addr", "add",
                string.Create(CultureInfo.InvariantCulture, $"fd{network}::{firewall}/64"),
                "dev", device, "nodad");
            Ip("-n", name, "link", "set", device, "up");
        }
    }

    /// <summary>Takes the interfaces of a cable away, on both ends.</summary>
    internal void Disconnect(string device) => Ip("-n", Namespace(1), "link", "del", device);

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
        for (int firewall = 1; firewall <= 2; firewall++)
        {
            Run(firewall, "nft", "insert rule inet fw untracked_in iifname sync2 notrack; "
                + "insert rule inet fw untracked_out oifname sync2 notrack; "
                + "insert rule inet fw input iifname sync2 accept").Checked();
        }
    }
}
