namespace Conntrackd.Wire;

/// <summary>Which optional attributes a node puts into its messages.</summary>
/// <param name="Timeout">Seconds left; not sent if this node commits with a fixed timeout.</param>
/// <param name="WindowScale">TCP window scales; sent if TCP windows are to be tracked.</param>
internal readonly record struct FlowMessageOptions(bool Timeout, bool WindowScale);
