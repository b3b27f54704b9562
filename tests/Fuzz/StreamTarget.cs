using Conntrackd.Wire;

namespace Conntrackd.Tests.Fuzz;

/// <summary>A TCP link: where the stream is cut on its way makes no difference.</summary>
internal sealed class StreamTarget : FuzzTarget
{
    private readonly SyncStreamReader _whole = new(), _cut = new();
    private readonly ReceiveCounters _counters = new();

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        ulong draw = FuzzRandom.Of(input);
        var random = new FuzzRandom(draw);
        _whole.Clear();
        _cut.Clear();
        uint way = 0;
        ulong first = Feed(_whole, input, input.Length, ref random, ref way);
        ulong second = Feed(_cut, input, 1 + (int)(draw % 64), ref random, ref way);
        bool same = first == second && _whole.IsBroken == _cut.IsBroken;
        Require(same, "a cut changes nothing");
        Require(_counters.Truncated + _counters.BadSize == 0, "what is whole is whole");
        return way | (_whole.IsBroken ? 0x8000_0000 : 0);
    }

    internal override void Probe()
    {
        _whole.Clear();
        SealedTarget.Text.CopyTo(_whole.Room());
        _whole.Commit(SealedTarget.Text.Length);
        Require(_whole.TakeWhole().SequenceEqual(SealedTarget.Text), "a new connection is read");
    }

    // Returns a digest of all that came out.
    private ulong Feed(
        SyncStreamReader reader, ReadOnlySpan<byte> input, int pieceMax, ref FuzzRandom random,
        ref uint way)
    {
        ulong digest = 0;
        bool isCut = pieceMax < input.Length;
        while (!input.IsEmpty && !reader.IsBroken)
        {
            Span<byte> room = reader.Room();
            Require(!room.IsEmpty, "there is room for more");
            int wanted = isCut ? 1 + random.Below(pieceMax) : input.Length;
            int count = Math.Min(Math.Min(wanted, input.Length), room.Length);
            input[..count].CopyTo(room);
            input = input[count..];
            reader.Commit(count);
            digest = Digest(digest, reader.TakeWhole(), ref way);
        }
        return digest;
    }

    private ulong Digest(ulong digest, ReadOnlySpan<byte> whole, ref uint way)
    {
        CheckFrames(whole);
        var messages = new SyncMessageReader(whole, _counters);
        while (messages.TryNext(out SyncMessage message))
        {
            digest = (digest * 31) + FuzzRandom.Of(message.Body) + message.Header.Sequence;
            way = (way * 31) + (uint)message.Header.Type + ((uint)message.Header.Class << 4);
        }
        return digest;
    }

    // As the links cut a stream of frames.
    private static void CheckFrames(ReadOnlySpan<byte> whole)
    {
        while (!whole.IsEmpty)
        {
            int length = SyncStreamReader.BoundaryFrom(whole, 1);
            Require(length > 0 && length <= whole.Length, "cutting into frames goes on");
            whole = whole[length..];
        }
    }
}
