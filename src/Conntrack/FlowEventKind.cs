namespace Conntrackd.Conntrack;

/// <summary>What happened to a flow.</summary>
internal enum FlowEventKind : byte
{
    New,
    Update,
    Destroy,
}
