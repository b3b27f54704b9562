using Conntrackd.Linux;

namespace Conntrackd.Transport;

/// <summary>Is told what happens to the interfaces of the dedicated links.</summary>
internal interface ILinkSink
{
    /// <summary>
    /// The interface changed: its flags, its MTU, or it came or went (Index 0 while it is away).
    /// </summary>
    void OnLinkChanged(string name, in NetworkInterface before, in NetworkInterface now);
}
