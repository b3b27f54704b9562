namespace Conntrackd.Conntrack;

/// <summary>Says of a flow whether it is meant.</summary>
internal delegate bool FlowTest(in Flow flow);
