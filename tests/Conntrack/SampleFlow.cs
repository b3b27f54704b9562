using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Net;
using System.Text;
using Conntrackd.Conntrack;

namespace Conntrackd.Tests.Conntrack;

/// <summary>Reads the original's output lines back into flows, as far as they tell.</summary>
/// <remarks>
/// Samples were taken from conntrackd 1.4.7 on Linux 6.18, <c>conntrackd -i</c>, <c>-e</c>, with
/// <c>-x</c>, and from the stats log; the file name is the set and the node of the capture.
/// </remarks>
internal static class SampleFlow
{
    /// <summary>The moment at which samples are printed again; any will do.</summary>
    internal const long WallSeconds = 1_800_000_000;

    internal static string[] ReadLines(string name) =>
        File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Conntrack", "samples", name));

    internal static string Print(Action<TextBuffer> append)
    {
        var text = new TextBuffer();
        append(text);
        return Encoding.ASCII.GetString(text.Written);
    }

    /// <summary>
    /// Reads a line of the default format; what stands in brackets behind is left.
    /// </summary>
    internal static Flow ParseText(string line)
    {
        Flow flow = default;
        var words = new Queue<string>(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        words.Dequeue();
        flow.Protocol = byte.Parse(words.Dequeue(), CultureInfo.InvariantCulture);
        flow.Present = FlowAttributes.Protocol | FlowAttributes.Orig | FlowAttributes.Status;
        flow.Status = FlowStatus.SeenReply;
        if (uint.TryParse(words.Peek(), out flow.TimeoutSeconds))
        {
            words.Dequeue();
            flow.Present |= FlowAttributes.Timeout;
        }
        if (!words.Peek().Contains('='))
        {
            flow.ProtocolState = StateOf(flow.Protocol, words.Dequeue());
            flow.Present |= FlowAttributes.ProtocolState;
        }
        bool reply = false;
        foreach (string word in words)
        {
            reply |= word.StartsWith("src=", StringComparison.Ordinal) && flow.Family != 0;
            ReadWord(ref flow, word, reply);
        }
        return flow;
    }

    /// <summary>Sets one member by its name in the text form.</summary>
    internal static void ReadField(ref Flow flow, string name, string value, bool reply)
    {
        ref FlowTuple tuple = ref reply ? ref flow.Reply : ref flow.Orig;
        if (reply && name == "src") { flow.Present |= FlowAttributes.Reply; }
        switch (name)
        {
            case "src":
                tuple.Source = ParseAddress(value, out flow.Family);
                break;
            case "dst":
                tuple.Target = ParseAddress(value, out flow.Family);
                break;
            case "sport" or "id":
                tuple.L4Source = (ushort)Number(value);
                break;
            case "dport":
                tuple.L4Target = (ushort)Number(value);
                break;
            case "srckey":
                tuple.L4Source = Convert.ToUInt16(value, 16);
                break;
            case "dstkey":
                tuple.L4Target = Convert.ToUInt16(value, 16);
                break;
            case "type":
                tuple.L4Target = (ushort)(Number(value) << 8);
                break;
            case "code":
                tuple.L4Target |= (ushort)Number(value);
                break;
            default:
                ReadRest(ref flow, name, value, reply);
                break;
        }
    }

    internal static ulong Number(string value) =>
        ulong.Parse(value, CultureInfo.InvariantCulture);

    internal static byte StateOf(byte protocol, string name)
    {
        for (byte state = 0; state < 10; state++)
        {
            if (Encoding.ASCII.GetString(FlowNames.OfState(protocol, state)) == name)
            {
                return state;
            }
        }
        throw new InvalidDataException(name);
    }

    private static void ReadWord(ref Flow flow, string word, bool reply)
    {
        switch (word)
        {
            case "[UNREPLIED]":
                flow.Status &= ~FlowStatus.SeenReply;
                break;
            case "[ASSURED]":
                flow.Status |= FlowStatus.Assured;
                break;
            default:
                string[] parts = word.Split('=');
                if (parts.Length == 2) { ReadField(ref flow, parts[0], parts[1], reply); }
                break;
        }
    }

    private static void ReadRest(ref Flow flow, string name, string value, bool reply)
    {
        switch (name)
        {
            case "packets":
                (reply ? ref flow.PacketsReply : ref flow.PacketsOrig) = Number(value);
                flow.Present |= FlowAttributes.Counters;
                break;
            case "bytes":
                (reply ? ref flow.BytesReply : ref flow.BytesOrig) = Number(value);
                break;
            case "zone-orig":
                flow.ZoneOrig = (ushort)Number(value);
                flow.Present |= FlowAttributes.ZoneOrig;
                break;
            case "zone-reply":
                flow.ZoneReply = (ushort)Number(value);
                flow.Present |= FlowAttributes.ZoneReply;
                break;
            case "mark":
                flow.Mark = (uint)Number(value);
                flow.Present |= FlowAttributes.Mark;
                break;
            case "zone":
                flow.Zone = (ushort)Number(value);
                flow.Present |= FlowAttributes.Zone;
                break;
            case "delta-time" or "deltatime":
                flow.TimestampStartNanoseconds =
                    ((ulong)WallSeconds - Number(value)) * 1_000_000_000;
                flow.Present |= FlowAttributes.TimestampStart;
                break;
            case "helper":
                flow.Helper = HelperName.From(Encoding.ASCII.GetBytes(value));
                flow.Present |= FlowAttributes.Helper;
                break;
            case "use":
                flow.Use = (uint)Number(value);
                flow.Present |= FlowAttributes.Use;
                break;
            case "id":
                flow.Id = (uint)Number(value);
                flow.Present |= FlowAttributes.Id;
                break;
            default:
                throw new InvalidDataException($"{name}={value}");
        }
    }

    private static Address ParseAddress(string text, out AddressFamily family)
    {
        byte[] octets = IPAddress.Parse(text).GetAddressBytes();
        family = octets.Length == Address.Ipv4Size ? AddressFamily.Ipv4 : AddressFamily.Ipv6;
        return family == AddressFamily.Ipv4 ? Address.ReadIpv4(octets) : Address.ReadIpv6(octets);
    }
}
