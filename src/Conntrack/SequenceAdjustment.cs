namespace Conntrackd.Conntrack;

/// <summary>
/// TCP sequence numbers shifted by a helper that rewrote a payload, one direction.
/// </summary>
/// <param name="CorrectionPosition">Sequence number from which the new offset holds.</param>
/// <param name="OffsetBefore">Bytes added before that position; signed.</param>
/// <param name="OffsetAfter">Bytes added after it; signed.</param>
internal readonly record struct SequenceAdjustment(
    uint CorrectionPosition, int OffsetBefore, int OffsetAfter);
