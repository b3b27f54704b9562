namespace Conntrackd.Tests.Vectors;

/// <summary>
/// Damages messages as links and bugs do: flipped bits, wrong bytes, cuts, repeats.
/// </summary>
internal static class Mutation
{
    /// <summary>A damaged copy, exactly as long as it is meant to be.</summary>
    internal static byte[] Of(byte[] source, Random random)
    {
        byte[] copy = [.. source];
        for (int count = random.Next(1, 5); count > 0 && copy.Length > 0; count--)
        {
            int at = random.Next(copy.Length);
            switch (random.Next(6))
            {
                case 0:
                    copy[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    copy[at] = (byte)random.Next(256);
                    break;
                case 2:
                    copy[at] = random.Next(2) == 0 ? (byte)0 : byte.MaxValue;
                    break;
                case 3:
                    copy = copy[..at];
                    break;
                case 4:
                    copy = [.. copy, .. copy[at..]];
                    break;
                default:
                    copy = [.. copy[..at], .. copy[Math.Min(copy.Length, at + 4)..]];
                    break;
            }
        }
        return copy;
    }
}
