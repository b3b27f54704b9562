using Conntrackd.Conntrack;
using Conntrackd.Tests.Conntrack;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

public sealed class ExpectationMessageTests
{
    private static readonly FlowMessageOptions s_all = new(Timeout: true, WindowScale: true);

    private static byte[] Encode(in Expectation expectation, FlowMessageOptions options)
    {
        byte[] buffer = new byte[ExpectationMessage.SizeMax];
        Array.Fill(buffer, (byte)0xa5);
        int length = ExpectationMessage.Encode(
            buffer, expectation, SyncType.ExpectNew, SyncFlags.None, 1, options);
        return buffer[..length];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Expectations_survive_the_link(bool ipv6)
    {
        Expectation sent = ExpectationCodecTests.Ftp(), read = default;
        sent.Family = ipv6 ? AddressFamily.Ipv6 : AddressFamily.Ipv4;
        byte[] message = Encode(sent, s_all);
        Assert.True(ExpectationMessage.TryDecode(
            message.AsSpan(SyncHeader.Size), ref read, out int unknown));
        Assert.Equal(0, unknown);
        Assert.Equal(sent.Present & ~ExpectationAttributes.Zone, read.Present);
        Assert.Equal(sent.Tuple, read.Tuple);
        Assert.Equal(sent.Master, read.Master);
        Assert.Equal(sent.Mask, read.Mask);
        Assert.Equal(sent.NatTuple, read.NatTuple);
        Assert.Equal(sent.Function, read.Function);
        Assert.Equal(message, Encode(read, s_all));
    }

    [Fact]
    [Trait("Defect", "W6")]
    public void Ports_follow_the_protocol_of_the_master_and_the_timeout_the_option()
    {
        Expectation expectation = ExpectationCodecTests.Ftp();
        int whole = Encode(expectation, s_all).Length;
        Assert.Equal(whole - 8, Encode(expectation, default).Length);
        expectation.MasterProtocol = L4Protocol.Gre;
        Assert.Equal(whole - 4 * 8, Encode(expectation, s_all).Length);
    }

    [Fact]
    public void A_target_that_is_too_short_gets_nothing()
    {
        Expectation expectation = ExpectationCodecTests.Ftp();
        int whole = Encode(expectation, s_all).Length;
        for (int room = 0; room < whole; room++)
        {
            Assert.Equal(0, ExpectationMessage.Encode(
                new byte[room], expectation, SyncType.ExpectNew, SyncFlags.None, 1, s_all));
        }
    }

    [Fact]
    public void Mixed_families_and_missing_tuples_are_refused()
    {
        byte[] message = Encode(ExpectationCodecTests.Ftp(), s_all);
        Expectation read = default;
        for (int length = SyncHeader.Size; length <= 8 + 12 + 8 + 8 + 12 + 4; length++)
        {
            Assert.False(ExpectationMessage.TryDecode(message.AsSpan(8..length), ref read, out _));
        }
        // Attribute 0, the master's addresses, becomes an unknown one.
        message[SyncHeader.Size + 3] = 99;
        Assert.False(ExpectationMessage.TryDecode(
            message.AsSpan(SyncHeader.Size), ref read, out int unknown));
        Assert.Equal(1, unknown);
    }
}
