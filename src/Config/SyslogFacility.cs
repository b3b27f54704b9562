namespace Conntrackd.Config;

/// <summary>Facilities the language knows, numbered as in the priority of a syslog line.</summary>
/// <remarks>The value of PRI is facility * 8 + severity. Source: RFC 5424, section 6.2.1.</remarks>
internal enum SyslogFacility : byte
{
    Daemon = 3,
    Local0 = 16,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}
