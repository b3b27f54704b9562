namespace Conntrackd.Config;

internal sealed partial class ConfigParser
{
    /// <summary>Section Helper.</summary>
    private static class HelperLanguage
    {
        internal static readonly Directive[] Directives =
        [
            new("Setup", Block.Helper, static p => p.Bool(out bool on)
                && p.Set(p._options with { IsHelperSetup = on }))
            {
                Operand = "bool",
                Default = "off",
                Help = "Create the helpers in the kernel, do not expect that nfct has done it.",
            },
            new("Type", Block.Helper | Block.HelperType, static p => p.ReadHelperType())
            {
                Operand = "helper inet | inet6 tcp | udp { ... }",
                Example = "ftp inet tcp",
                Opens = Block.HelperType,
                Tolerated = Block.HelperType,
                Help = "One helper: amanda, dhcpv6, ftp, mdns, rpc, sane, slp, ssdp, tftp or tns, "
                    + "its family and its transport.",
            },
            new("QueueNum", Block.Helper | Block.HelperType, static p => p.ReadQueueNumber())
            {
                Operand = "number",
                Default = "0",
                Tolerated = Block.Helper,
                Help = "The queue from which packets come.",
            },
            new("QueueLen", Block.Helper | Block.HelperType, static p => p.ReadQueueLength())
            {
                Operand = "number",
                Default = "0",
                Tolerated = Block.Helper,
                Help = "The length of that queue; 0 is as the kernel has it.",
            },
            new("Policy", Block.Helper | Block.HelperType, static p => p.ReadPolicy())
            {
                Operand = "helper { ... }",
                Example = "ftp",
                Opens = Block.HelperPolicy,
                Tolerated = Block.Helper,
                Help = "Limits of the expectations of one flow. Without it the helper's own.",
            },
            new("ExpectMax", Block.HelperPolicy, static p => p.ReadExpectMax())
            {
                Operand = "number",
                Example = "1",
                IsSample = true,
                Help = "How many there may be.",
            },
            new("ExpectTimeout", Block.HelperPolicy, static p => p.ReadExpectTimeout())
            {
                Operand = "seconds",
                Example = "300",
                IsSample = true,
                Help = "How long one lives.",
            },
        ];
    }
}
