namespace Conntrackd.Wire;

/// <summary>Attributes of an expectation on the wire; numbers are big-endian.</summary>
/// <remarks>
/// Source: shared spec wire, section 9. A node that runs the original drops the whole message for a
/// number of 21 or more.
/// </remarks>
internal enum SyncExpectAttribute
{
    MasterIpv4 = 0,             // source, target of the master's original direction
    MasterIpv6 = 1,
    MasterL4Protocol = 2,       // u8
    MasterPort = 3,             // source u16, target u16
    ExpectIpv4 = 4,             // the tuple that is expected
    ExpectIpv6 = 5,
    ExpectL4Protocol = 6,
    ExpectPort = 7,
    MaskIpv4 = 8,
    MaskIpv6 = 9,
    MaskL4Protocol = 10,
    MaskPort = 11,
    Timeout = 12,               // u32 seconds
    Flags = 13,                 // u32
    Class = 14,                 // u32
    NatIpv4 = 15,               // saved tuple; there is no attribute for IPv6
    NatPort = 16,
    NatL4Protocol = 17,
    NatDirection = 18,          // u32
    HelperName = 19,            // text and one zero
    Function = 20,              // text and one zero
}
