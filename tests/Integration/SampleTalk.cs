using System.Buffers.Binary;
using Conntrackd.Conntrack;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// What two hosts said to each other while a sample was taken, said again: so many packets, so
/// many bytes, ended in the same state. It can be broken off before the end.
/// </summary>
/// <remarks><code>
///   SYN  SYN+ACK  ACK   |  data of both  |  FIN  FIN+ACK  ACK    TIME_WAIT
///                       |                |  FIN  ACK            CLOSE_WAIT
/// </code></remarks>
internal sealed class SampleTalk
{
    private const byte Fin = 1, Syn = 2, Ack = 16;
    private const byte CloseWait = 5, TimeWait = 7; // TCP_CONNTRACK_*
    private const int SynBytes = 40, SegmentBytes = 32, UdpHeaderBytes = 8;

    // Maximum segment size, SACK permitted, time stamps, padding, window scale 7; time stamps.
    private static readonly byte[] s_synOptions = Convert.FromHexString(
        "020405b4" + "0402" + "080a0000000100000000" + "01" + "030307");
    private static readonly byte[] s_options = Convert.FromHexString("0101080a0000000200000001");

    private readonly Flow _flow;
    private readonly (int Count, int Bytes) _orig, _reply;
    private uint _sequenceOrig = 1000, _sequenceReply = 500_000;

    /// <param name="end">
    /// The flow at its end, with counters or without: then as few packets as it takes.
    /// </param>
    internal SampleTalk(in Flow end)
    {
        _flow = end;
        bool counted = end.Has(FlowAttributes.Counters);
        bool once = end.Protocol != L4Protocol.Tcp || !IsReplied;
        _orig = counted ? ((int)end.PacketsOrig, (int)end.BytesOrig) : (once ? 1 : 6, 0);
        _reply = counted ? ((int)end.PacketsReply, (int)end.BytesReply) : (once ? 1 : 4, 0);
    }

    private bool IsReplied => (_flow.Status & FlowStatus.SeenReply) != 0;

    private bool IsTcp => _flow.Protocol == L4Protocol.Tcp;

    /// <summary>TCP: until the connection is there. Others: all of it.</summary>
    internal void Begin(RawPackets packets)
    {
        if (!IsTcp)
        {
            SendAll(packets);
        }
        else if (!IsReplied)
        {
            // Joined in its midst: tracking believes it established, though only one end spoke.
            Segment(packets, reply: false, Ack, 0);
        }
        else
        {
            Segment(packets, reply: false, Syn, 0);
            Segment(packets, reply: true, Syn | Ack, 0);
            Segment(packets, reply: false, Ack, 0);
        }
    }

    /// <summary>TCP: from there to the end.</summary>
    internal void End(RawPackets packets)
    {
        if (!IsTcp || !IsReplied) { return; }
        bool both = _flow.ProtocolState == TimeWait;
        if (!both && _flow.ProtocolState != CloseWait)
        {
            throw new ArgumentException($"no talk ends in state {_flow.ProtocolState}");
        }
        Middle(packets, reply: false, _orig, _orig.Count - (both ? 4 : 3));
        Middle(packets, reply: true, _reply, _reply.Count - 2);
        Segment(packets, reply: false, Fin | Ack, 0);
        Segment(packets, reply: true, (byte)(both ? Fin | Ack : Ack), 0);
        if (both) { Segment(packets, reply: false, Ack, 0); }
    }

    // The first has all the data; the others acknowledge.
    private void Middle(RawPackets packets, bool reply, (int Count, int Bytes) all, int count)
    {
        int ip = RawPackets.HeaderBytes(_flow);
        int empty = ip + SynBytes + (all.Count - 1) * (ip + SegmentBytes);
        for (int i = 0; i < count; i++)
        {
            Segment(packets, reply, Ack, i == 0 ? Math.Max(all.Bytes - empty, 0) : 0);
        }
    }

    private void Segment(RawPackets packets, bool reply, byte flags, int dataBytes)
    {
        bool syn = (flags & Syn) != 0;
        FlowTuple tuple = reply ? _flow.Reply : _flow.Orig;
        ref uint own = ref reply ? ref _sequenceReply : ref _sequenceOrig;
        uint other = reply ? _sequenceOrig : _sequenceReply;
        byte[] body = new byte[(syn ? SynBytes : SegmentBytes) + dataBytes];
        BinaryPrimitives.WriteUInt16BigEndian(body, tuple.L4Source);
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(2), tuple.L4Target);
        BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(4), own);
        if ((flags & Ack) != 0) { BinaryPrimitives.WriteUInt32BigEndian(body.AsSpan(8), other); }
        body[12] = (byte)((body.Length - dataBytes) / 4 << 4);
        body[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(14), 32_000); // window
        (syn ? s_synOptions : s_options).CopyTo(body, 20);
        own += (uint)dataBytes + ((flags & (Syn | Fin)) != 0 ? 1u : 0);
        packets.Send(_flow, reply, body);
    }

    private void SendAll(RawPackets packets)
    {
        for (int i = 0; i < Math.Max(_orig.Count, _reply.Count); i++)
        {
            if (i < _orig.Count) { packets.Send(_flow, reply: false, Datagram(reply: false)); }
            if (IsReplied && i < _reply.Count)
            {
                packets.Send(_flow, reply: true, Datagram(reply: true));
            }
        }
    }

    // UDP, or ICMP: type, code and id.
    private byte[] Datagram(bool reply)
    {
        FlowTuple tuple = reply ? _flow.Reply : _flow.Orig;
        (int count, int bytes) = reply ? _reply : _orig;
        byte[] body = new byte[Math.Max(
            bytes / count - RawPackets.HeaderBytes(_flow), UdpHeaderBytes)];
        if (L4Protocol.IsIcmp(_flow.Protocol))
        {
            (body[0], body[1]) = (tuple.IcmpType, tuple.IcmpCode);
            BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(4), tuple.L4Source);
            return body;
        }
        BinaryPrimitives.WriteUInt16BigEndian(body, tuple.L4Source);
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(2), tuple.L4Target);
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(4), (ushort)body.Length);
        return body;
    }
}
