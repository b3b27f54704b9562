using System.Linq;
using System.Text.RegularExpressions;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// Listings of connection tables, brought to a form in which they can be compared.
/// </summary>
/// <remarks>
/// The sync protocol has no attribute for the keys of GRE and the ports of UDP-Lite (sync.md,
/// 23): such flows arrive without, and are left out here.
/// </remarks>
internal static class ListingText
{
    private static readonly Regex s_running = new(@"^(\S+\s+\d+) \d+|use=\d+");
    private static readonly Regex s_left = new("^(gre|udplite) ");

    // Protocol number, TCP state, original tuple.
    private static readonly Regex s_flow = new(
        @"^\S+ +(\d+) +(?:\d+ +)?([A-Z_]\w+ )?(src=\S+ dst=\S+)( sport=\d+ dport=\d+|"
        + @" type=\d+ code=\d+ id=\d+)?");
    private static readonly Regex s_more = new(
        @"\[(?:UNREPLIED|ASSURED)\]|mark=[1-9]\d*|zone=\d+");

    /// <summary>
    /// What conntrack -L printed, both tuples and all: sorted, without the seconds that are left
    /// and the use count.
    /// </summary>
    internal static string[] Kernel(string listing) => [.. Lines(listing)
        .Select(line => s_running.Replace(line, "$1").Trim())
        .Order(StringComparer.Ordinal)];

    /// <summary>
    /// What a kernel's listing and one of a daemon's caches have in common: TCP state, original
    /// tuple, whether answered and assured, mark, zone.
    /// </summary>
    internal static string[] Original(string listing) => [.. Lines(listing)
        .Select(Common)
        .Order(StringComparer.Ordinal)];

    /// <summary>The first lines that one listing has and the other has not; "" if none.</summary>
    internal static string Difference(string[] left, string[] right)
    {
        string[] missing = [.. left.Except(right)], extra = [.. right.Except(left)];
        if (missing.Length + extra.Length == 0)
        {
            return left.Length == right.Length ? "" : $"{left.Length} and {right.Length} lines";
        }
        return $"{missing.Length} missing, {extra.Length} extra: "
            + string.Join('\n', missing.Take(3).Select(line => "- " + line)
                .Concat(extra.Take(3).Select(line => "+ " + line)));
    }

    private static string[] Lines(string listing) =>
        [.. listing.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !s_left.IsMatch(line))];

    private static string Common(string line)
    {
        Match match = s_flow.Match(line);
        return match.Success ? string.Join(' ', match.Groups.Values.Skip(1)
            .Concat(s_more.Matches(line)).Select(part => part.Value.Trim()))
            : throw new FormatException($"not a line of a listing: {line}");
    }
}
