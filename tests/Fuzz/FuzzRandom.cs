namespace Conntrackd.Tests.Fuzz;

/// <summary>Numbers from a seed, the same on every machine and fast enough not to count.</summary>
internal struct FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    // SplitMix64 (Steele, Lea, Flood 2014).
    internal ulong Next()
    {
        _state += 0x9E37_79B9_7F4A_7C15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 on, below the bound, which is at least 1.</summary>
    internal int Below(int bound) => (int)(((Next() >> 32) * (ulong)bound) >> 32);

    internal bool OneIn(int count) => Below(count) == 0;

    /// <summary>A number that alone decides, so that an input replays without its seed.</summary>
    internal static ulong Of(ReadOnlySpan<byte> input) =>
        System.IO.Hashing.XxHash3.HashToUInt64(input);
}
