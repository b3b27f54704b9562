using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Conntrackd.Conntrack;
using Conntrackd.Wire;
using Xunit;

namespace Conntrackd.Tests.Vectors;

/// <summary>
/// Good and bad messages made by hand, with the counters the original showed after each in NOTRACK
/// mode. Where this program is meant to differ, <see cref="IsImprovement"/> says how.
/// </summary>
public sealed partial class HandMadeSyncTests
{
    /// <summary>A datagram and what its reception changes.</summary>
    internal sealed record Case(string Title, byte[] Datagram, string Counters, int Accepted)
    {
        public override string ToString() => Title;
    }

    public static TheoryData<string, int> Cases()
    {
        var data = new TheoryData<string, int>();
        foreach (string path in VectorFolder.Find("malformed*.md"))
        {
            int count = Parse(path).Count;
            for (int index = 0; index < count; index++) { data.Add(path, index); }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_message_is_judged_as_the_listing_says(string path, int index)
    {
        Case made = Parse(path)[index];
        string actual = Receive(made.Datagram, out int accepted, out string reasons);
        if (actual == made.Counters && accepted == made.Accepted) { return; }
        Assert.True(
            IsImprovement(reasons, made, actual, accepted),
            $"{made.Title}: expected {made.Counters} and {made.Accepted} accepted, "
            + $"got {actual} and {accepted} accepted ({reasons})");
    }

    /// <summary>
    /// The differences that are wanted: newer attributes do not cost the message, helper names of
    /// 12 to 15 characters are read, and what names no flow is refused instead of stored.
    /// </summary>
    private static bool IsImprovement(string reasons, Case made, string actual, int accepted) =>
        reasons switch
        {
            "unknown attribute" or "long helper name" =>
                made.Counters == "malformed+1, payload+1" && actual == "none"
                && accepted == made.Accepted + 1,
            "names no flow" => actual == "malformed+1, payload+1" && accepted <= made.Accepted,
            _ => false,
        };

    /// <summary>Receives as the NOTRACK mode does: shared spec sync, section 8.</summary>
    private static string Receive(byte[] datagram, out int accepted, out string reasons)
    {
        var counters = new ReceiveCounters();
        var seen = new List<string>();
        accepted = 0;
        var reader = new SyncMessageReader(datagram, counters);
        while (reader.TryNext(out SyncMessage message))
        {
            switch (message.Header.Class)
            {
                case SyncClass.Alive or SyncClass.Resync:
                    break;
                case SyncClass.Data:
                    bool ok = TryStore(message, seen, counters);
                    accepted += ok ? 1 : 0;
                    counters.BadPayload += ok ? 0ul : 1;
                    break;
                default:
                    counters.BadHeader++;
                    break;
            }
        }
        reasons = string.Join(", ", seen);
        return Text(counters);
    }

    private static bool TryStore(
        in SyncMessage message, List<string> reasons, ReceiveCounters counters)
    {
        bool ok;
        int unknown;
        HelperName helper = default;
        if (message.Header.Type <= SyncType.FlowDestroy)
        {
            Flow flow = default;
            ok = FlowMessage.TryDecode(message.Body, ref flow, out unknown);
            if (flow.Has(FlowAttributes.Helper)) { helper = flow.Helper; }
        }
        else
        {
            Expectation expectation = default;
            ok = ExpectationMessage.TryDecode(message.Body, ref expectation, out unknown);
            if (expectation.Has(ExpectationAttributes.Helper)) { helper = expectation.Helper; }
        }
        counters.UnknownAttributes += (ulong)unknown;
        if (unknown > 0) { reasons.Add("unknown attribute"); }
        if (helper.Text.Length > 11) { reasons.Add("long helper name"); }
        if (!ok && !NamesFlow(message)) { reasons.Add("names no flow"); }
        return ok;
    }

    /// <summary>
    /// False if the message is well framed but lacks addresses or protocol, or the same of the
    /// master of an expectation.
    /// </summary>
    private static bool NamesFlow(in SyncMessage message)
    {
        var numbers = new HashSet<int>();
        var reader = new SyncAttributeReader(message.Body);
        while (reader.TryNext(out int number, out _)) { numbers.Add(number); }
        if (reader.Malformed) { return true; }
        bool first = (numbers.Contains(0) || numbers.Contains(1)) && numbers.Contains(2);
        bool second = (numbers.Contains(4) || numbers.Contains(5)) && numbers.Contains(6);
        return first && (message.Header.Type <= SyncType.FlowDestroy || second);
    }

    private static string Text(ReceiveCounters counters)
    {
        var text = new List<string>();
        (ulong Value, string Name)[] all =
        [
            (counters.Malformed, "malformed"), (counters.BadVersion, "version"),
            (counters.BadHeader, "header"), (counters.BadPayload, "payload"),
            (counters.BadType, "type"), (counters.Truncated, "truncated"),
            (counters.BadSize, "size"),
        ];
        foreach ((ulong value, string name) in all)
        {
            if (value > 0) { text.Add($"{name}+{value}"); }
        }
        return text.Count == 0 ? "none" : string.Join(", ", text);
    }

    private static List<Case> Parse(string path)
    {
        var cases = new List<Case>();
        string[] sections = Heading().Split(File.ReadAllText(path));
        foreach (string section in sections.Skip(1))
        {
            string[] lines = section.Split('\n');
            string? hex = lines.Skip(1).Select(line => line.Trim().Trim('`')).FirstOrDefault(
                line => Hex().IsMatch(line));
            string? counters = lines.FirstOrDefault(
                line => line.TrimStart().StartsWith("* counters:", StringComparison.Ordinal));
            if (hex is null || counters is null) { continue; }
            int accepted = lines.Count(line => NewLine().IsMatch(line));
            byte[] datagram = Bytes(hex);
            // The listing of the original stops at an entry without address: nothing is shown for
            // a message that was stored.
            if (accepted == 0 && counters.Contains("none") && datagram.Length >= 8
                && (datagram[0] & 0xf) <= 5)
            {
                accepted = 1;
            }
            string verdict = counters[(counters.IndexOf(':') + 1)..].Trim();
            cases.Add(new Case(lines[0].Trim(), datagram, verdict, accepted));
        }
        return cases;
    }

    /// <summary>
    /// Bytes of a line, which may be cut: "... (N bytes: the ... word W repeated)".
    /// </summary>
    private static byte[] Bytes(string line)
    {
        Match cut = Cut().Match(line);
        if (!cut.Success) { return Convert.FromHexString(line.Trim()); }
        var hex = new System.Text.StringBuilder(cut.Groups[1].Value.Trim());
        int length = int.Parse(
            cut.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture);
        while (hex.Length < 2 * length) { hex.Append(cut.Groups[3].Value); }
        return Convert.FromHexString(hex.ToString()[..(2 * length)]);
    }

    [GeneratedRegex(@"(?m)^## ")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^([0-9a-fA-F]{2})+( \.\.\. .*)?$")]
    private static partial Regex Hex();

    [GeneratedRegex(@"^([0-9a-fA-F]+) \.\.\. \((\d+) bytes: .* ([0-9a-fA-F]+) repeated\)$")]
    private static partial Regex Cut();

    [GeneratedRegex(@"^\* new in -e: `")]
    private static partial Regex NewLine();
}
