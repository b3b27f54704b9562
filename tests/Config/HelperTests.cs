using System.Linq;
using Conntrackd.Config;
using Conntrackd.Conntrack;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class HelperTests
{
    [Fact]
    public void A_helper_has_a_queue_and_policies()
    {
        Options options = Clean(General("") + """
            Helper { Setup yes
                Type ftp inet tcp { QueueNum 2 QueueLen 10240 Policy ftp { ExpectMax 1 } }
                Type dhcpv6 inet6 udp { } }
            """);

        Assert.True(options.HasHelperSection && options.IsHelperSetup);
        HelperOptions ftp = options.Helpers[0];
        Assert.Equal(("ftp", false, L4Protocol.Tcp), (ftp.Name, ftp.IsIpv6, ftp.Protocol));
        Assert.Equal((2, 10240u), (ftp.QueueNumber, ftp.QueueLength));
        Assert.Equal(new HelperPolicy("ftp", 1, 0), Assert.Single(ftp.Policies));
        Assert.Equal(new SourcePosition(5, 5), ftp.Position);
        HelperOptions dhcp = options.Helpers[1];
        Assert.Equal(("dhcpv6", true, L4Protocol.Udp), (dhcp.Name, dhcp.IsIpv6, dhcp.Protocol));
        Assert.Empty(dhcp.Policies);
    }

    [Fact]
    public void What_stands_outside_a_type_goes_to_the_next_one_with_a_warning()
    {
        Options options = Warned(General("") + "Helper { QueueNum 7 Type ftp inet tcp { "
            + "Type tns inet tcp { } QueueNum 8 } }",
            "4:10: 'QueueNum' outside a 'Type' block, it goes to the next 'Type'",
            "4:41: 'Type' inside 'Type', the inner one takes what stands before it");

        Assert.Equal([("tns", 7), ("ftp", 8)],
            options.Helpers.Select(h => (h.Name, (int)h.QueueNumber)));
    }

    [Theory]
    [InlineData("Type ftp inet udp { }", "4:15: helper 'ftp' is not for udp")]
    [InlineData("Type ftp inet tcp { QueueNum x }",
        "4:39: expected a queue 0-65535 after 'QueueNum', found 'x'")]
    [InlineData("Type ftp", "4:19: expected inet or inet6 after 'Type ftp', found '}'")]
    [InlineData("Type ftp inet tcp { Policy seventeen-letters { ExpectMax 1 } }",
        "4:37: policy name 'seventeen-letters' has 17 bytes, at most 16 fit",
        "4:37: unknown policy 'seventeen-letters' of helper 'ftp', expected 'ftp'")]
    public void A_helper_that_does_not_exist_is_refused(string body, params string[] messages) =>
        Refused(General("") + $"Helper {{ {body} }}", messages);

    [Fact]
    public void A_queue_beyond_16_bits_is_cut_with_a_warning()
    {
        Options options = Warned(General("") + "Helper { Type ftp inet tcp { QueueNum 65537 } }",
            "4:39: 65537 does not fit 'QueueNum' (at most 65535), using 1");
        Assert.Equal(1, options.Helpers[0].QueueNumber);
    }
}
