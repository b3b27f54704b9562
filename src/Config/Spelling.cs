using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>Finds what somebody meant to write.</summary>
internal static class Spelling
{
    // Ours: longer words are no slips of a directive, and the distance is quadratic in the length.
    private const int LengthMax = 40;

    /// <summary>
    /// The candidate that <paramref name="word"/> was most probably meant to be: the same but for
    /// letter case, one the beginning of the other, or a few letters off. Null if none is near.
    /// </summary>
    internal static string? Nearest(string word, IEnumerable<string> candidates)
    {
        if (word.Length is < 2 or > LengthMax) { return null; }
        string? nearest = null;
        int best = 1 + Math.Max(1, word.Length / 3);
        foreach (string candidate in candidates)
        {
            int distance = DistanceOf(word, candidate);
            if (distance < best) { (nearest, best) = (candidate, distance); }
        }
        return nearest;
    }

    private static int DistanceOf(string word, string candidate)
    {
        const StringComparison IgnoreCase = StringComparison.OrdinalIgnoreCase;
        if (word.Equals(candidate, IgnoreCase)) { return 0; }
        if (word.Length >= 4
            && (word.StartsWith(candidate, IgnoreCase) || candidate.StartsWith(word, IgnoreCase)))
        {
            return 1;
        }
        return Changes(word.ToUpperInvariant(), candidate.ToUpperInvariant());
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours.</summary>
    private static int Changes(string a, string b)
    {
        Span<int> beforeLast = stackalloc int[b.Length + 1];
        Span<int> last = stackalloc int[b.Length + 1];
        Span<int> row = stackalloc int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++) { last[j] = j; }
        for (int i = 1; i <= a.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, 1 + Math.Min(last[j], row[j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    row[j] = Math.Min(row[j], beforeLast[j - 2] + 1);
                }
            }
            Span<int> free = beforeLast;
            beforeLast = last;
            last = row;
            row = free;
        }
        return last[b.Length];
    }
}
