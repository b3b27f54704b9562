using System.Collections.Generic;
using System.Linq;
using System.Text;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Transport;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Wire;

/// <summary>
/// Nodes with one key file on one link in virtual time; what they send is recorded.
/// </summary>
internal sealed class SealDesk : IDisposable
{
    internal const string KeyOne =
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    internal const string KeyTwo =
        "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff101112131415161718191a1b1c1d1e1f";

    /// <summary>A control message and an acknowledgement.</summary>
    internal const string Messages = "1a100008123456781a0800100000000a0000000100000002";

    private readonly List<(SealedFraming Framing, LinkCipher Cipher)> _nodes = [];
    private readonly int _links;
    private byte _draw;

    /// <param name="nodes">How many.</param>
    /// <param name="links">That carry the same frames.</param>
    internal SealDesk(int nodes, int links = 1)
    {
        _links = links;
        Assert.True(Sodium.TryStart());
        for (int i = 0; i < nodes; i++)
        {
            _nodes.Add(default);
            Start(i);
        }
    }

    internal long Now { get; private set; } = 1_000_000;

    /// <summary>Frames that were sent, with the sender.</summary>
    internal List<(int From, byte[] Bytes)> Recorded { get; } = [];

    internal SealedFraming this[int node] => _nodes[node].Framing;

    internal LinkCipher CipherOf(int node) => _nodes[node].Cipher;

    internal static PeerAddress Address(int node) =>
        new(AddressFamily.Ipv4, new Address(0, 0x0A21_0001u + (uint)node), 4000);

    /// <summary>Number, key and whether it is sent with, for each key.</summary>
    internal static KeyRing Ring(params (byte Number, string Key, bool IsActive)[] keys) =>
        Ring(aes: false, keys);

    /// <summary>All keys for one of the ciphers.</summary>
    internal static KeyRing Ring(
        bool aes, params (byte Number, string Key, bool IsActive)[] keys)
    {
        var ring = new KeyRing();
        foreach ((byte number, string key, bool isActive) in keys)
        {
            Assert.True(ring.TryAdd(number, Encoding.ASCII.GetBytes(key)));
            if (isActive) { ring.Activate(); }
            if (aes) { ring.UseAes(); }
        }
        return ring;
    }

    /// <summary>The node's daemon starts: another incarnation, nothing remembered.</summary>
    internal void Start(int node, KeyRing? keys = null, ushort? number = null)
    {
        _nodes[node].Cipher?.Dispose();
        var cipher = new LinkCipher(keys ?? Ring((1, KeyOne, true)));
        byte[] random = [.. Enumerable.Range(0, 10).Select(_ => ++_draw)];
        var self = Incarnation.Of(number ?? (ushort)(node + 1), random);
        _nodes[node] = (new SealedFraming(cipher, in self, Now, _links), cipher);
    }

    /// <summary>Lets the time pass; beacons reach every node that is not cut off.</summary>
    internal void Advance(long microseconds, params int[] cut)
    {
        const long Step = 10_000;
        for (long end = Now + microseconds; Now < end; Now += Step)
        {
            for (int from = 0; from < _nodes.Count; from++)
            {
                if (Now < this[from].NextBeacon) { continue; }
                this[from].BeginBeacon(Now);
                byte[] beacon = Beacon(from);
                if (cut.Contains(from)) { continue; }
                for (int to = 0; to < _nodes.Count; to++)
                {
                    if (to != from && !cut.Contains(to)) { Give(to, beacon, from); }
                }
            }
        }
    }

    /// <summary>Messages of a node as a frame.</summary>
    internal byte[] Wrap(int node)
    {
        byte[] messages = Convert.FromHexString(Messages);
        byte[] frame = new byte[messages.Length + this[node].OverheadBytes];
        messages.CopyTo(frame, this[node].HeadBytes);
        Assert.Equal(frame.Length, this[node].Wrap(frame, messages.Length));
        Recorded.Add((node, frame));
        return frame;
    }

    /// <summary>The beacon begun last, once more.</summary>
    internal byte[] Beacon(int node)
    {
        byte[] room = new byte[512];
        byte[] frame = room[..this[node].WriteBeacon(room, Now)];
        Recorded.Add((node, frame));
        return frame;
    }

    internal FrameVerdict Give(int to, byte[] frame, int from) => Give(to, frame, from, out _);

    internal FrameVerdict Give(int to, byte[] frame, int from, out PeerAddress name)
    {
        name = Address(from);
        FrameVerdict verdict =
            this[to].Unwrap(frame, Now, ref name, out ReadOnlySpan<byte> messages);
        string expected = verdict == FrameVerdict.Messages ? Messages : "";
        Assert.Equal(expected, Convert.ToHexStringLower(messages));
        return verdict;
    }

    public void Dispose() => _nodes.ForEach(node => node.Cipher.Dispose());
}
