using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

public sealed class SyncHeaderTests
{
    [Fact]
    public void A_header_is_eight_bytes_and_reads_back()
    {
        byte[] buffer = new byte[10];
        Array.Fill(buffer, (byte)0xa5);
        var header = new SyncHeader(
            SyncType.Control, SyncFlags.Ack | SyncFlags.Hello, 16, 0x6b02fd77);
        header.Write(buffer);
        Assert.Equal("1A2800106B02FD77A5A5", Convert.ToHexString(buffer));
        Assert.True(SyncHeader.TryRead(buffer, out SyncHeader read, out int version));
        Assert.Equal(header, read);
        Assert.Equal(1, version);
        Assert.False(SyncHeader.TryRead(buffer.AsSpan(0, 7), out _, out _));
    }

    [Theory]
    [InlineData(0, 0x00, SyncClassName.Data)]
    [InlineData(5, 0x60, SyncClassName.Data)]
    [InlineData(0, 0x01, SyncClassName.Bad)]
    [InlineData(0, 0x10, SyncClassName.Bad)]
    [InlineData(2, 0x80, SyncClassName.Bad)]
    [InlineData(6, 0x00, SyncClassName.Bad)]
    [InlineData(15, 0x10, SyncClassName.Bad)]
    [InlineData(10, 0x00, SyncClassName.Bad)]
    [InlineData(10, 0x20, SyncClassName.Bad)]
    [InlineData(10, 0x1e, SyncClassName.Ack)]
    [InlineData(10, 0x16, SyncClassName.Nack)]
    [InlineData(10, 0x12, SyncClassName.Resync)]
    [InlineData(10, 0x70, SyncClassName.Alive)]
    public void The_class_follows_from_type_and_flags(int type, int flags, SyncClassName expected)
    {
        var header = new SyncHeader((SyncType)type, (SyncFlags)flags, 16, 0);
        Assert.Equal(expected.ToString(), header.Class.ToString());
    }

    /// <summary>SyncClass for the parameters of a public method.</summary>
    public enum SyncClassName
    {
        Bad,
        Data,
        Ack,
        Nack,
        Resync,
        Alive,
    }
}
