namespace Conntrackd.Conntrack;

/// <summary>Why a message of the kernel could not be read.</summary>
internal enum DecodeError : byte
{
    None = 0,
    Header,                     // shorter than nfgenmsg
    Family,                     // neither IPv4 nor IPv6
    Framing,                    // an attribute longer than what holds it, or shorter than a header
    TupleOrig,
    TupleReply,
    TupleMaster,
    TupleMissing,               // nothing says which flow or expectation is meant
    Status,
    ProtocolInfo,
    Help,
    Timeout,
    Mark,
    Counters,
    Use,
    Id,
    SequenceAdjust,
    Zone,
    Timestamp,
    Labels,
    Synproxy,
    ExpectTuple,
    ExpectMask,
    ExpectNat,
    ExpectFlags,
    ExpectClass,
    ExpectFunction,
}
