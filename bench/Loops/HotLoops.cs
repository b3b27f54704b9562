namespace Conntrackd.Bench.Loops;

/// <summary>All loops, in the order of the results.</summary>
internal static class HotLoops
{
    private const int Small = 10_000, Large = 1_000_000;

    internal static HotLoop[] All() =>
    [
        new EventDecodeLoop(),
        new CreateEncodeLoop(),
        new MessageEncodeLoop(),
        new MessageDecodeLoop(),
        new FilterLoop(),
        new TableFindLoop(Small),
        new TableFindLoop(Large),
        new TableMissLoop(Large),
        new TableMergeLoop(Small),
        new TableMergeLoop(Large),
        new TableTurnoverLoop(Small),
        new TableTurnoverLoop(Large),
        new EngineSendLoop(),
        new EngineReceiveLoop(),
        new EnginePairLoop(),
        new TextLoop(),
        new XmlLoop(),
    ];
}
