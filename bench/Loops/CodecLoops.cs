using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Conntrackd.Wire;

namespace Conntrackd.Bench.Loops;

/// <summary>An event of the kernel, from the bytes to the flow.</summary>
internal sealed class EventDecodeLoop : HotLoop
{
    private byte[] _event = [];
    private Flow _flow;

    internal override string Name => "kernel event: decode";

    internal override void Prepare()
    {
        _event = Samples.Event();
        var reader = new MessageReader(_event);
        if (!reader.TryNext(out NetlinkMessage message)
            || FlowDecoder.Decode(message.Payload, ref _flow) != DecodeError.None)
        {
            throw new InvalidOperationException("the captured event cannot be decoded");
        }
    }

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++)
        {
            var reader = new MessageReader(_event);
            reader.TryNext(out NetlinkMessage message);
            sum += (long)FlowDecoder.Decode(message.Payload, ref _flow) + _flow.Orig.L4Source;
        }
        return sum;
    }
}

/// <summary>The request that writes a flow into the kernel's table.</summary>
internal sealed class CreateEncodeLoop : HotLoop
{
    private readonly byte[] _buffer = new byte[FlowEncoder.SizeMax];
    private readonly CreateOptions _options = new(60, WindowTracking: false);
    private Flow _flow;

    internal override string Name => "kernel request (create): encode";

    internal override void Prepare() => _flow = Samples.MakeFlow(1);

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++)
        {
            var writer = new MessageWriter(_buffer);
            FlowEncoder.EncodeCreate(ref writer, in _flow, (uint)i, NetlinkFlags.None, _options);
            sum += writer.Length;
        }
        return sum;
    }
}

/// <summary>A flow as a message to the peer.</summary>
internal sealed class MessageEncodeLoop : HotLoop
{
    private readonly byte[] _buffer = new byte[FlowMessage.SizeMax];
    private readonly FlowMessageOptions _options = new(Timeout: true, WindowScale: false);
    private Flow _flow;

    internal override string Name => "sync message: encode";

    internal override void Prepare() => _flow = Samples.MakeFlow(1);

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++)
        {
            sum += FlowMessage.Encode(
                _buffer, in _flow, SyncType.FlowUpdate, SyncFlags.None, (uint)i, _options);
        }
        return sum;
    }
}

/// <summary>A datagram with one message, from the bytes to the flow.</summary>
internal sealed class MessageDecodeLoop : HotLoop
{
    private readonly ReceiveCounters _counters = new();
    private byte[] _datagram = [];
    private Flow _flow;

    internal override string Name => "sync message: decode";

    internal override void Prepare()
    {
        byte[] buffer = new byte[FlowMessage.SizeMax];
        int length = FlowMessage.Encode(
            buffer, Samples.MakeFlow(1), SyncType.FlowUpdate, SyncFlags.None, 1,
            new FlowMessageOptions(Timeout: true, WindowScale: false));
        _datagram = buffer[..length];
    }

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++)
        {
            var reader = new SyncMessageReader(_datagram, _counters);
            reader.TryNext(out SyncMessage message);
            FlowMessage.TryDecode(message.Body, ref _flow, out int unknown);
            sum += unknown + _flow.Orig.L4Source;
        }
        return sum;
    }
}
