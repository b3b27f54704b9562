namespace Conntrackd.Control;

/// <summary>In which form an answer is wanted.</summary>
internal enum ReplyForm : byte
{
    /// <summary>As the original answers, byte for byte.</summary>
    Original,

    /// <summary>One JSON object a line.</summary>
    Json,

    /// <summary>The original's text with more in it and behind it.</summary>
    Extended,
}

/// <summary>How a form is asked for: above the bits of the request's number.</summary>
/// <remarks><code>
/// bits 0-8   the request (ControlRequest), 0-511
/// bits 9-10  the form: 0 original, 1 JSON (512 to 1023), 2 extended (1024 to 1535)
/// </code>The original's daemon closes such a connection without an answer.</remarks>
internal static class ReplyForms
{
    private const int FormAt = 9;
    private const uint RequestMask = (1u << FormAt) - 1;

    /// <summary>The number to send; null if the request has no such form.</summary>
    internal static ControlRequest? Combine(ControlRequest? request, ReplyForm form) =>
        request is ControlRequest plain && HasForms(plain)
            ? (ControlRequest)((uint)plain | ((uint)form << FormAt)) : null;

    /// <summary>
    /// Splits what a client sent. False if the request is not known, or not in this form.
    /// </summary>
    internal static bool TrySplit(uint number, out ControlRequest request, out ReplyForm form)
    {
        request = (ControlRequest)(number & RequestMask);
        uint wanted = number >> FormAt;
        form = (ReplyForm)(byte)wanted;
        return IsKnown(request) && wanted <= (uint)ReplyForm.Extended
            && (form == ReplyForm.Original || HasForms(request));
    }

    private static bool IsKnown(ControlRequest request) => request is
        <= ControlRequest.ResyncFlows
        or (>= ControlRequest.DumpInternal and <= ControlRequest.ResetTimers)
        or (>= ControlRequest.StatisticsNetwork
            and <= ControlRequest.DumpExternalExpectationsXml)
        or ControlRequest.Reload or ControlRequest.StatisticsVrrp;

    /// <summary>Finds a form by its word or the beginning of it.</summary>
    internal static bool TryFind(string word, out ReplyForm form)
    {
        form = "json".StartsWith(word, StringComparison.Ordinal)
            ? ReplyForm.Json : ReplyForm.Extended;
        return word.Length > 0 && (form == ReplyForm.Json
            || "extended".StartsWith(word, StringComparison.Ordinal));
    }

    private static bool HasForms(ControlRequest request) => request
        is ControlRequest.DumpInternal or ControlRequest.DumpExternal
        or ControlRequest.Statistics or ControlRequest.StatisticsNetwork
        or ControlRequest.StatisticsCache or ControlRequest.StatisticsRuntime
        or ControlRequest.StatisticsLink or ControlRequest.StatisticsResendQueue
        or ControlRequest.StatisticsProcess or ControlRequest.StatisticsQueue
        or ControlRequest.StatisticsExpectations;
}
