namespace Conntrackd.Wire;

/// <summary>Low half of a message's first byte. 6 to 9 and 11 to 15 are not assigned.</summary>
/// <remarks>Source: shared spec wire, section 3.</remarks>
internal enum SyncType : byte
{
    FlowNew = 0,                // CT_NEW
    FlowUpdate = 1,             // CT_UPD
    FlowDestroy = 2,            // CT_DEL
    ExpectNew = 3,              // EXP_NEW
    ExpectUpdate = 4,           // EXP_UPD
    ExpectDestroy = 5,          // EXP_DEL
    Control = 10,               // CTL
}

/// <summary>Second byte of a message.</summary>
/// <remarks>Source: shared spec wire, section 3. 0x01 and 0x80 are never sent.</remarks>
[Flags]
internal enum SyncFlags : byte
{
    None = 0,
    Resync = 0x02,              // control: send me everything
    Nack = 0x04,                // control: resend this range
    Ack = 0x08,                 // control: this range has arrived
    Alive = 0x10,               // control: I am here
    Hello = 0x20,               // any message: I have just started
    HelloBack = 0x40,           // any message: I have seen you start
}

/// <summary>Kinds of messages as receivers tell them apart.</summary>
internal enum SyncClass : byte
{
    Bad,                        // no known kind: counted as malformed header
    Data,                       // a flow or an expectation
    Ack,
    Nack,
    Resync,
    Alive,
}
