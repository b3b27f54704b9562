namespace Conntrackd.Conntrack;

/// <summary>What a class of a <see cref="FlowFilter"/> does with the flows that match it.</summary>
internal enum FilterPolicy : byte
{
    None = 0,                   // the class is not configured and tests nothing
    Accept,                     // keep what matches, drop the rest
    Ignore,                     // drop what matches, keep the rest
}
