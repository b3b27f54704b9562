using System.Text;
using Conntrackd.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

/// <remarks>The expected lines are those that the original printed (samples ftfw-udp).</remarks>
public sealed class ExpectationTextTests
{
    private static Expectation Sample(bool ipv6)
    {
        Address client = ipv6 ? new Address(0xfd00_0001_0000_0000, 2) : new Address(0, 0x0a010102);
        Address server = ipv6 ? new Address(0xfd00_0002_0000_0000, 2) : new Address(0, 0x0a020202);
        Address all = ipv6
            ? new Address(ulong.MaxValue, ulong.MaxValue) : new Address(0, uint.MaxValue);
        return new Expectation
        {
            Family = ipv6 ? AddressFamily.Ipv6 : AddressFamily.Ipv4,
            Protocol = L4Protocol.Tcp,
            MaskProtocol = L4Protocol.Tcp,
            MasterProtocol = L4Protocol.Tcp,
            Tuple = new FlowTuple
            {
                Source = client,
                Target = server,
                L4Target = (ushort)(ipv6 ? 51300 : 51210),
            },
            Mask = new FlowTuple { Source = all, Target = all, L4Target = ushort.MaxValue },
            Master = new FlowTuple
            {
                Source = client,
                Target = server,
                L4Source = (ushort)(ipv6 ? 45996 : 48880),
                L4Target = 21,
            },
            TimeoutSeconds = 281,
            Helper = HelperName.From("ftp"u8),
            Present = ExpectationAttributes.Tuple | ExpectationAttributes.Mask
                | ExpectationAttributes.Master | ExpectationAttributes.Timeout
                | ExpectationAttributes.Flags | ExpectationAttributes.Class
                | ExpectationAttributes.Helper,
        };
    }

    private static string Text(in Expectation expectation)
    {
        var text = new TextBuffer();
        ExpectationText.Append(text, in expectation);
        FlowText.AppendActiveSince(text, 19);
        return Encoding.ASCII.GetString(text.Written);
    }

    private static string Xml(in Expectation expectation)
    {
        var text = new TextBuffer();
        ExpectationText.AppendXml(text, in expectation);
        return Encoding.ASCII.GetString(text.Written);
    }

    [Fact]
    public void Both_families_print_as_the_original_prints_them()
    {
        Assert.Equal(
            "proto=6 src=10.1.1.2 dst=10.2.2.2 sport=0 dport=51210 mask-src=255.255.255.255 "
            + "mask-dst=255.255.255.255 sport=0 dport=65535 master-src=10.1.1.2 "
            + "master-dst=10.2.2.2 sport=48880 dport=21 class=0 helper=ftp [active since 19s]",
            Text(Sample(ipv6: false)));
        Assert.Equal(
            "proto=6 src=fd00:1::2 dst=fd00:2::2 sport=0 dport=51300 "
            + "mask-src=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
            + "mask-dst=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff sport=0 dport=65535 "
            + "master-src=fd00:1::2 master-dst=fd00:2::2 sport=45996 dport=21 class=0 helper=ftp "
            + "[active since 19s]",
            Text(Sample(ipv6: true)));
    }

    [Fact]
    public void The_XML_form_is_that_of_the_original() => Assert.Equal(
        "<flow><layer3 protonum=\"2\" protoname=\"ipv4\"><expected><src>10.1.1.2</src>"
        + "<dst>10.2.2.2</dst></expected><mask><src>255.255.255.255</src>"
        + "<dst>255.255.255.255</dst></mask><master><src>10.1.1.2</src><dst>10.2.2.2</dst>"
        + "</master></layer3><layer4 protonum=\"6\" protoname=\"tcp\"><expected><sport>0</sport>"
        + "<dport>51210</dport></expected><mask><sport>0</sport><dport>65535</dport></mask>"
        + "<master><sport>48880</sport><dport>21</dport></master></layer4><meta>"
        + "<helper-name>ftp</helper-name><class>0</class></meta></flow>",
        Xml(Sample(ipv6: false)));

    [Fact]
    public void Flags_and_zone_are_named()
    {
        Expectation expectation = Sample(ipv6: false);
        expectation.Flags = ExpectationFlags.Permanent | ExpectationFlags.UserSpace;
        expectation.Zone = 7;
        expectation.Present |= ExpectationAttributes.Zone;
        Assert.Contains(" dport=21 zone=7 PERMANENT,USERSPACE class=0 ", Text(in expectation));
        Assert.Contains(
            "<class>0</class><zone>7</zone><permanent/><userspace/></meta>", Xml(in expectation));
    }
}
