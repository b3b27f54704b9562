namespace Conntrackd.Conntrack;

/// <summary>What the flow itself does not say when it is written to the kernel.</summary>
/// <param name="TimeoutSeconds">
/// For how long the kernel keeps the flow without traffic; 0 leaves it to an entry that is there.
/// </param>
/// <param name="WindowTracking">
/// False: the kernel lets segments outside the window pass (BE_LIBERAL in both directions), because
/// an injected flow has no window until each side has sent.
/// </param>
internal readonly record struct CreateOptions(uint TimeoutSeconds, bool WindowTracking);
