using Xunit;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Zones, marks, labels and SYN proxies of live connections: what rules on fw1 gave them is there
/// on fw2, in whose rules it counts.
/// </summary>
/// <remarks>
/// The hosts and their FTP are those of <see cref="FtpLab"/>; helper names, masters, expectations
/// and sequence adjustment are tested in FtpTests. A secmark is not on the wire.
/// </remarks>
public sealed class AttributeTests
{
    private const double Seconds = 5;

    // Only the first packet of a connection gets them: afterwards they are the entry's.
    private const string Marking = "add chain inet fw attributes "
        + "{ type filter hook forward priority -5; }; "
        + "add rule inet fw attributes ct state new ct mark set 42; "
        + "add rule inet fw attributes ct state new ct label set 77; "
        + "add rule inet fw attributes ct state established ct mark 42 ct label 77 counter";

    private const string Zoning = "add chain inet fw zones "
        + "{ type filter hook prerouting priority -300; }; "
        + "add rule inet fw zones iifname { in0, out0 } ct zone set 7";

    // The firewall answers the client itself, then the server: both directions are shifted.
    private const string Proxying = "add chain inet fw proxy_in "
        + "{ type filter hook prerouting priority -300; }; "
        + "add rule inet fw proxy_in iifname in0 tcp dport 21 tcp flags syn notrack; "
        + "insert rule inet fw forward iifname in0 tcp dport 21 ct state invalid,untracked "
        + "synproxy mss 1460 wscale 7 timestamp sack-perm";

    public static TheoryData<string, bool> EachInAndOutOfAZone
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (string pair in Pairs.Names())
            {
                data.Add(pair, false);
                data.Add(pair, true);
            }
            return data;
        }
    }

    [LabTheory]
    [MemberData(nameof(EachInAndOutOfAZone))]
    public void Mark_label_and_zone_of_a_live_connection_survive_a_take_over(
        string pair, bool inZone)
    {
        using var nodes = new Pair(pair, "udp");
        using var ftp = new FtpLab(nodes.Lab);
        for (int firewall = 1; firewall <= 2; firewall++)
        {
            nodes.Lab.Run(firewall, "nft", Marking).Checked();
            if (inZone) { nodes.Lab.Run(firewall, "nft", Zoning).Checked(); }
        }
        using FtpClient client = ftp.Connect(ipv6: false);
        client.Tell("open");
        Assert.StartsWith("200", client.Tell("say NOOP"));
        Wait.Until("the flow is at the peer", Seconds, () => nodes.Backup.Tell("-e"),
            listing => listing.Contains(" dport=21 ", StringComparison.Ordinal)
                && listing.Contains("ESTABLISHED", StringComparison.Ordinal)
                && listing.Contains("mark=42", StringComparison.Ordinal)
                && listing.Contains("zone=7", StringComparison.Ordinal) == inZone);

        nodes.Backup.Tell("-c");
        ftp.Route(2);
        Assert.StartsWith("200", client.Tell("say NOOP"));
        Assert.DoesNotContain("packets 0 ", nodes.Lab.Run(
            2, "nft", "list", "chain", "inet", "fw", "attributes").Output,
            StringComparison.Ordinal);
    }

    [LabTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_connection_behind_a_SYN_proxy_survives_a_take_over(bool ipv6)
    {
        using var nodes = new Pair(Pairs.OursOurs, "udp");
        using var ftp = new FtpLab(nodes.Lab);
        for (int firewall = 1; firewall <= 2; firewall++)
        {
            nodes.Lab.Run(firewall, "nft", Proxying).Checked();
            nodes.Lab.Run(firewall, "sysctl", "-qw", "net.ipv4.tcp_syncookies=1",
                "net.ipv4.tcp_timestamps=1").Checked();
        }
        using FtpClient client = ftp.Connect(ipv6);
        client.Tell("open");
        Assert.StartsWith("200", client.Tell("say NOOP"));
        Wait.Until("the flow is at the peer", Seconds, () => nodes.Backup.Tell("-e"),
            listing => listing.Contains("ESTABLISHED", StringComparison.Ordinal));
        // Its numbers are asked for a moment after the event.
        System.Threading.Thread.Sleep(400);
        nodes.Backup.Tell("-c");
        ftp.Route(2);
        Assert.StartsWith("200", client.Tell("say NOOP"));
    }
}
