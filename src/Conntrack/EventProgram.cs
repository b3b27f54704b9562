using System.Buffers.Binary;
using System.Collections.Generic;
using Conntrackd.Netlink;

namespace Conntrackd.Conntrack;

/// <summary>
/// Builds the program that the kernel runs for each message before it queues it on the event
/// socket: it drops our own echoes and, with "Filter From Kernelspace", what a
/// <see cref="FlowFilter"/> refuses.
/// </summary>
/// <remarks>
/// It means what the filter means in user space, to the bit: only what is refused there is dropped
/// here. Whatever it cannot read (another subsystem, a family that is neither, an attribute that is
/// not there) passes, and is judged behind it. What is dropped takes no room in the receive buffer,
/// wakes nobody and costs no call.
/// <code>
/// not a flow? pass -> caused by us? drop -> protocol -> address -> state -> pass
///
/// protocol   number of the original tuple
/// address    family, then source of the original tuple, then source of the reply tuple
/// state      not of ends, not of other protocols than TCP
/// </code>A set is ranges of numbers. It becomes a tree of comparisons, word by word: a word that
/// says enough leads to the verdict, one that does not to the tree of the next word. So a set of n
/// IPv4 hosts costs about 2n instructions, twice, for both addresses; IPv6 hosts up to three times
/// that. Source: shared spec ctnetlink, section 9, and sync, section 16.
/// </remarks>
internal sealed class EventProgram
{
    private const uint Pass = uint.MaxValue, Drop = 0;

    private const int FamilyAt = 16, AttributesAt = 20, PortIdAt = 12;
    private const int PayloadAt = 4;
    private const int WordBits = 32, WordBytes = 4;

    private static readonly int s_subsystemAt = BitConverter.IsLittleEndian ? 5 : 4;
    private static readonly int s_messageAt = BitConverter.IsLittleEndian ? 4 : 5;

    private readonly BpfAssembler _code = new();
    private readonly int _drop;
    private readonly int _pass;
    private int _next;              // where a message goes on that passed the class being written

    private EventProgram()
    {
        _drop = _code.Return(Drop);
        _next = _pass = _code.Return(Pass);
    }

    /// <summary>
    /// The program for a socket, or null if it is longer than the kernel takes.
    /// </summary>
    /// <param name="filter">What is to be kept; null: everything.</param>
    /// <param name="portIds">Sockets of ours whose doings are no news.</param>
    internal static byte[]? Build(FlowFilter? filter, ReadOnlySpan<uint> portIds)
    {
        var program = new EventProgram();
        if (filter is not null) { program.Write(filter); }
        program.WritePortIds(portIds);
        BpfAssembler code = program._code;
        code.WhenEqual(CtMessage.New >> 8, program._next, program._pass);
        code.LoadByte(s_subsystemAt);
        return code.Count <= BpfAssembler.InstructionsMax ? code.ToArray() : null;
    }

    // From the last class to the first: see BpfAssembler.
    private void Write(FlowFilter filter)
    {
        FlowFilterBuilder rules = filter.Definition;
        if (rules.StatePolicy != FilterPolicy.None) { WriteState(rules); }
        if (rules.AddressPolicy != FilterPolicy.None) { WriteAddress(filter, rules.AddressPolicy); }
        if (rules.ProtocolPolicy == FilterPolicy.None) { return; }
        (int hit, int miss) = Verdicts(rules.ProtocolPolicy);
        List<(UInt128, UInt128)> numbers = Ranges(byte.MaxValue, n => rules.Protocols.Contains(n));
        _code.FallTo(WriteTree(numbers, 1, loads: 0, hit, miss));
        LoadProtocol();
        _next = _code.Last;
    }

    private void WriteState(FlowFilterBuilder rules)
    {
        (int hit, int miss) = Verdicts(rules.StatePolicy);
        List<(UInt128, UInt128)> states = Ranges(
            TcpStateSet.StateMax, state => rules.TcpStates.Contains(state));
        _code.FallTo(WriteTree(states, 1, loads: 0, hit, miss));
        _code.LoadByteOfFound(PayloadAt);
        _code.Find(AttributesAt,
            [(int)CtAttribute.ProtocolInfo, (int)CtProtocolInfo.Tcp, (int)CtTcp.State], _pass);
        _code.WhenEqual(L4Protocol.Tcp, _code.Last, _pass);
        LoadProtocol();
        _code.WhenEqual(CtMessage.Delete & byte.MaxValue, _pass, _code.Last);
        _code.LoadByte(s_messageAt);
        _next = _code.Last;
    }

    private void WriteAddress(FlowFilter filter, FilterPolicy policy)
    {
        (int hit, int miss) = Verdicts(policy);
        int ipv6 = WriteSources(filter.Ipv6, CtIp.V6Source, 4, hit, miss);
        int ipv4 = WriteSources(filter.Ipv4, CtIp.V4Source, 1, hit, miss);
        int other = _code.WhenEqual((byte)AddressFamily.Ipv6, ipv6, _pass);
        _code.WhenEqual((byte)AddressFamily.Ipv4, ipv4, other);
        _code.LoadByte(FamilyAt);
        _next = _code.Last;
    }

    // The source of the original tuple is a hit, or that of the reply tuple.
    private int WriteSources(AddressSet set, CtIp source, int words, int hit, int miss)
    {
        if (set.RangeCount == 0) { return miss; }
        var ranges = new List<(UInt128, UInt128)>();
        for (int i = 0; i < set.RangeCount; i++)
        {
            (Address first, Address last) = set.RangeAt(i);
            ranges.Add((new UInt128(first.High, first.Low), new UInt128(last.High, last.Low)));
        }
        foreach (CtAttribute tuple in new[] { CtAttribute.TupleReply, CtAttribute.TupleOrig })
        {
            _code.FallTo(WriteTree(ranges, words, words, hit, miss));
            _code.Find(AttributesAt, [(int)tuple, (int)CtTuple.Ip, (int)source], _pass);
            miss = _code.Last;
        }
        return miss;
    }

    private void WritePortIds(ReadOnlySpan<uint> portIds)
    {
        if (portIds.IsEmpty) { return; }
        foreach (uint portId in portIds)
        {
            // The load reads network order, the field is the machine's.
            uint id = BitConverter.IsLittleEndian
                ? BinaryPrimitives.ReverseEndianness(portId) : portId;
            _next = _code.WhenEqual(id, _drop, _next);
        }
        _next = _code.LoadWord(PortIdAt);
    }

    private void LoadProtocol()
    {
        _code.LoadByteOfFound(PayloadAt);
        _code.Find(AttributesAt,
            [(int)CtAttribute.TupleOrig, (int)CtTuple.Protocol, (int)CtProtocol.Number], _pass);
    }

    private (int Hit, int Miss) Verdicts(FilterPolicy policy) =>
        policy == FilterPolicy.Accept ? (_next, _drop) : (_drop, _next);

    private static List<(UInt128, UInt128)> Ranges(byte max, Func<byte, bool> contains)
    {
        var ranges = new List<(UInt128, UInt128)>();
        for (int n = 0; n <= max; n++)
        {
            if (contains((byte)n)) { ranges.Add(((UInt128)n, (UInt128)n)); }
        }
        return ranges;
    }

    /// <summary>
    /// A tree over sorted, disjoint ranges of so many words, the one tested now the highest.
    /// </summary>
    /// <param name="ranges">What is in the set.</param>
    /// <param name="words">So many words are left, with the one tested now.</param>
    /// <param name="loads">
    /// Words that the attribute has, if the tree is to load them; X stands at it. 0: A is loaded.
    /// </param>
    /// <param name="hit">Where a number leads that is in the set.</param>
    /// <param name="miss">Where one leads that is not.</param>
    private int WriteTree(
        List<(UInt128 First, UInt128 Last)> ranges, int words, int loads, int hit, int miss)
    {
        List<Piece> pieces = Cut(ranges, words);
        for (int i = 0; i < pieces.Count; i++)
        {
            Piece piece = pieces[i];
            pieces[i] = piece with
            {
                Label = piece.Inner is not null
                    ? WriteTree(piece.Inner, words - 1, loads, hit, miss)
                    : piece.IsHit ? hit : miss,
            };
        }
        int label = WriteTree(pieces, 0, pieces.Count - 1);
        if (loads == 0) { return label; }
        _code.FallTo(label);
        return _code.LoadWordOfFound(PayloadAt + ((loads - words) * WordBytes));
    }

    private int WriteTree(List<Piece> pieces, int low, int high)
    {
        if (low == high) { return pieces[low].Label; }
        bool single = high - low == 2 && pieces[low].Label == pieces[high].Label
            && pieces[high].First - pieces[low + 1].First == 1;
        if (single)
        {
            return _code.WhenEqual(
                pieces[low + 1].First, pieces[low + 1].Label, pieces[low].Label);
        }
        int middle = (low + high + 1) / 2;
        int above = WriteTree(pieces, middle, high);
        int below = WriteTree(pieces, low, middle - 1);
        return _code.WhenAtLeast(pieces[middle].First, above, below);
    }

    // The numbers of one word, from 0 on, as pieces that mean the same.
    private static List<Piece> Cut(List<(UInt128 First, UInt128 Last)> ranges, int words)
    {
        int shift = WordBits * (words - 1);
        UInt128 mask = (UInt128.One << shift) - 1;
        var pieces = new List<Piece>();
        ulong next = 0;             // behind the last piece
        void Add(ulong first, ulong last, List<(UInt128, UInt128)>? inner)
        {
            if (first > next) { pieces.Add(new Piece((uint)next, false, null, 0)); }
            pieces.Add(new Piece((uint)first, inner is null, inner, 0));
            next = last + 1;
        }
        foreach ((UInt128 first, UInt128 last) in ranges)
        {
            ulong low = (ulong)(first >> shift), high = (ulong)(last >> shift);
            UInt128 lowRest = first & mask, highRest = last & mask;
            if (lowRest != 0 || (low == high && highRest != mask))
            {
                UInt128 end = low == high ? highRest : mask;
                bool goesOn = low + 1 == next && pieces[^1].Inner is not null;
                if (goesOn) { pieces[^1].Inner!.Add((lowRest, end)); }
                else { Add(low, low, [(lowRest, end)]); }
                low++;
            }
            bool cutOff = low <= high && highRest != mask;
            if (cutOff) { high--; }
            if (low <= high) { Add(low, high, null); }
            if (cutOff) { Add(high + 1, high + 1, [(0, highRest)]); }
        }
        if (next <= uint.MaxValue) { pieces.Add(new Piece((uint)next, false, null, 0)); }
        return pieces;
    }

    /// <summary>Numbers of a word from the first on, up to the next piece.</summary>
    /// <param name="First">The first number.</param>
    /// <param name="IsHit">In the set, if the word says enough.</param>
    /// <param name="Inner">What the words behind must be, if it does not.</param>
    /// <param name="Label">Where such a word leads.</param>
    private readonly record struct Piece(
        uint First, bool IsHit, List<(UInt128, UInt128)>? Inner, int Label);
}
