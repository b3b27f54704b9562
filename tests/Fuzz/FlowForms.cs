using System.Text.Json;
using Conntrackd.Conntrack;
using Conntrackd.Netlink;
using Conntrackd.Wire;

namespace Conntrackd.Tests.Fuzz;

/// <summary>
/// Whatever a decoder let in must leave again in every form: to the kernel, to the peer, as text.
/// </summary>
internal sealed class FlowForms
{
    private static readonly FlowMessageOptions s_all = new(Timeout: true, WindowScale: true);

    private readonly byte[] _request = new byte[FlowEncoder.SizeMax];
    private readonly byte[] _first = new byte[FlowMessage.SizeMax];
    private readonly byte[] _second = new byte[FlowMessage.SizeMax];
    private readonly TextBuffer _text = new();
    private Flow _again;
    private Expectation _expectAgain;

    /// <summary>Throws if a form does not fit, does not read back or is no clean text.</summary>
    internal void Check(in Flow flow)
    {
        var options = new CreateOptions(60, WindowTracking: false);
        var writer = new MessageWriter(_request);
        Demand(FlowEncoder.EncodeCreate(ref writer, flow, 1, NetlinkFlags.None, options), "create");
        writer = new MessageWriter(_request);
        Demand(FlowEncoder.EncodeUpdate(ref writer, flow, 1, NetlinkFlags.None, options), "update");
        writer = new MessageWriter(_request);
        Demand(FlowEncoder.EncodeDelete(ref writer, flow, 1, NetlinkFlags.None), "delete");
        CheckMessage(in flow);
        foreach (FlowTextSource source in Enum.GetValues<FlowTextSource>())
        {
            _text.Clear();
            FlowText.Append(_text, in flow, source, 1_800_000_000);
            CheckText("text");
            _text.Clear();
            FlowText.AppendXml(_text, in flow, source, 1_800_000_000);
            CheckText("XML");
            _text.Clear();
            FlowText.AppendExtended(_text, in flow, source, 1_800_000_000);
            CheckText("extended text");
        }
        _text.Clear();
        FlowText.AppendJson(_text, in flow, 1, 1_800_000_000);
        CheckJson();
    }

    /// <summary>The same for an expectation.</summary>
    internal void Check(in Expectation expectation)
    {
        var writer = new MessageWriter(_request);
        bool fits = ExpectationEncoder.EncodeCreate(
            ref writer, expectation, 1, NetlinkFlags.None, 60);
        Demand(fits, "create of an expectation");
        writer = new MessageWriter(_request);
        fits = ExpectationEncoder.EncodeDelete(ref writer, expectation, 1, NetlinkFlags.None);
        Demand(fits, "delete of an expectation");
        _text.Clear();
        ExpectationText.Append(_text, in expectation);
        CheckText("text of an expectation");
        _text.Clear();
        ExpectationText.AppendXml(_text, in expectation);
        CheckText("XML of an expectation");
        int first = ExpectationMessage.Encode(
            _first, in expectation, SyncType.ExpectNew, SyncFlags.None, 7, s_all);
        Demand(first > 0, "message of an expectation");
        bool reads = ExpectationMessage.TryDecode(
            _first.AsSpan(SyncHeader.Size, first - SyncHeader.Size), ref _expectAgain, out _);
        Demand(reads, "message of an expectation, read again");
    }

    // What was read from our own message and is written again is the same message.
    private void CheckMessage(in Flow flow)
    {
        int first = FlowMessage.Encode(
            _first, in flow, SyncType.FlowNew, SyncFlags.None, 7, s_all);
        Demand(first > 0, "message");
        bool reads = FlowMessage.TryDecode(
            _first.AsSpan(SyncHeader.Size, first - SyncHeader.Size), ref _again, out int unknown);
        Demand(reads && unknown == 0, "message, read again");
        int second = FlowMessage.Encode(
            _second, in _again, SyncType.FlowNew, SyncFlags.None, 7, s_all);
        bool same = _first.AsSpan(0, first).SequenceEqual(_second.AsSpan(0, second));
        Demand(same, "message, written again");
    }

    private void CheckText(string form)
    {
        int control = _text.Written.IndexOfAnyInRange((byte)0, (byte)31);
        Demand(control < 0, $"{form} with control characters");
    }

    private void CheckJson()
    {
        var reader = new Utf8JsonReader(_text.Written);
        try
        {
            while (reader.Read()) { }
        }
        catch (JsonException)
        {
            Demand(false, "JSON");
        }
    }

    private static void Demand(bool holds, string form)
    {
        if (!holds) { throw new InvalidOperationException($"not sound in this form: {form}"); }
    }
}
