using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Xunit;

namespace Conntrackd.Tests.Conntrack;

/// <summary>One encoded request, to ask for its parts.</summary>
internal sealed class Request
{
    private readonly byte[] _payload;

    private Request(NetlinkFlags flags, ushort type, uint sequence, byte[] payload)
    {
        Flags = flags;
        Type = type;
        Sequence = sequence;
        _payload = payload;
    }

    internal delegate bool Encoder(ref MessageWriter writer);

    internal NetlinkFlags Flags { get; }

    internal ushort Type { get; }

    internal uint Sequence { get; }

    internal byte Family => _payload[0];

    internal ReadOnlySpan<byte> Payload => _payload;

    /// <summary>Encodes into a dirty buffer and reads the framing back.</summary>
    internal static Request Of(Encoder encode)
    {
        byte[] buffer = new byte[FlowEncoder.SizeMax];
        Array.Fill(buffer, (byte)0xa5);
        var writer = new MessageWriter(buffer);
        Assert.True(encode(ref writer));
        Assert.Equal(0, writer.Length % 4);
        var reader = new MessageReader(writer.Written);
        Assert.True(reader.TryNext(out NetlinkMessage message));
        Assert.Equal(writer.Length, message.Payload.Length + MessageReader.HeaderSize);
        Assert.Equal(0u, message.PortId);
        Assert.False(reader.TryNext(out _));
        Assert.False(reader.Malformed);
        return new Request(
            message.Flags, message.Type, message.Sequence, message.Payload.ToArray());
    }

    /// <summary>
    /// Payload of the attribute down a path of numbers in hex; null if there is none.
    /// </summary>
    internal string? Hex(params int[] path)
    {
        ReadOnlySpan<byte> rest = _payload.AsSpan(FlowDecoder.HeaderSize);
        foreach (int number in path)
        {
            bool found = false;
            var reader = new AttributeReader(rest);
            while (!found && reader.TryNext(out NetlinkAttribute attribute))
            {
                if (attribute.Type != number) { continue; }
                rest = attribute.Payload;
                found = true;
            }
            Assert.False(reader.Malformed);
            if (!found) { return null; }
        }
        return Convert.ToHexStringLower(rest);
    }

    internal string? Hex(CtAttribute attribute, params int[] path) =>
        Hex([(int)attribute, .. path]);
}
