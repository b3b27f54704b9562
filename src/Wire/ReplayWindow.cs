namespace Conntrackd.Wire;

/// <summary>Which counters of a sender were seen: each is good once.</summary>
/// <remarks><code>
/// words:  | ... | oldest | ......... | top | next, being reused |
///                 a bit for each counter     zeroed before the top comes there
/// </code>A ring of whole words, so that nothing is shifted when the top moves (the way of
/// RFC 6479); one word fewer than there are is the window. Look first, mark only what was
/// authentic.</remarks>
internal sealed class ReplayWindow
{
    /// <summary>
    /// Counters behind the highest that are told apart; datagrams overtake each other by less.
    /// </summary>
    internal const int Size = (Words - 1) * BitsPerWord;

    private const int BitsPerWord = 64, Words = 64;

    private readonly ulong[] _seen = new ulong[Words];

    /// <summary>The highest counter marked.</summary>
    internal ulong Highest { get; private set; }

    /// <summary>Begins anew: nothing up to <paramref name="counter"/> is good any more.</summary>
    internal void Start(ulong counter)
    {
        Array.Fill(_seen, ulong.MaxValue);
        Highest = counter;
        // Of the top's word only what lies above is open.
        _seen[WordOf(counter)] = ulong.MaxValue >> (BitsPerWord - 1 - BitOf(counter));
    }

    /// <summary>True if the counter is too old to be told.</summary>
    internal bool IsBehind(ulong counter) => Highest >= counter && Highest - counter >= Size;

    /// <summary>True if the counter was marked; not for what is behind.</summary>
    internal bool IsSeen(ulong counter) =>
        counter <= Highest && (_seen[WordOf(counter)] >> BitOf(counter) & 1) != 0;

    /// <summary>The frame with this counter was authentic.</summary>
    internal void Mark(ulong counter)
    {
        if (counter > Highest)
        {
            ulong top = Highest / BitsPerWord;
            ulong ahead = Math.Min(counter / BitsPerWord - top, Words);
            for (ulong i = 1; i <= ahead; i++) { _seen[(top + i) % Words] = 0; }
            Highest = counter;
        }
        _seen[WordOf(counter)] |= 1UL << BitOf(counter);
    }

    private static int WordOf(ulong counter) => (int)(counter / BitsPerWord % Words);

    private static int BitOf(ulong counter) => (int)(counter % BitsPerWord);
}
