using System.Globalization;
using Conntrackd.Cache;
using Conntrackd.Conntrack;

namespace Conntrackd.Bench.Loops;

/// <summary>A table that holds so many flows.</summary>
internal abstract class TableLoop(int size) : HotLoop
{
    private const uint FlowsMax = 4_000_000;

    internal FlowTable Table { get; private set; } = new(FlowsMax, seed: 1);

    /// <summary>Flows to ask for, in no order.</summary>
    internal Flow[] Flows { get; private set; } = [];

    internal string SizeText => size.ToString("N0", CultureInfo.InvariantCulture) + " flows";

    internal int Size => size;

    internal override void Prepare()
    {
        for (int i = 0; i < size; i++) { Table.Add(Samples.MakeFlow(i), nowSeconds: 1); }
        Flows = Samples.ScatteredFlows(size);
    }

    protected override void Release() => Table.Dispose();
}

/// <summary>Find a flow that is there.</summary>
internal sealed class TableFindLoop(int size) : TableLoop(size)
{
    internal override string Name => $"table: find, {SizeText}";

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++) { sum += Table.Find(in Flows[i]); }
        return sum;
    }
}

/// <summary>Look for a flow that is not there.</summary>
internal sealed class TableMissLoop(int size) : TableLoop(size)
{
    internal override string Name => $"table: miss, {SizeText}";

    internal override void Prepare()
    {
        base.Prepare();
        for (int i = 0; i < Operations; i++) { Flows[i].Orig.L4Target = 80; }
    }

    internal override long Run()
    {
        long sum = 0;
        for (int i = 0; i < Operations; i++) { sum += Table.Find(in Flows[i]); }
        return sum;
    }
}

/// <summary>Find a flow and store what an update says of it.</summary>
internal sealed class TableMergeLoop(int size) : TableLoop(size)
{
    internal override string Name => $"table: find and merge, {SizeText}";

    internal override long Run()
    {
        for (int i = 0; i < Operations; i++)
        {
            Table.Merge(Table.Find(in Flows[i]), in Flows[i]);
        }
        return Table.Count;
    }
}

/// <summary>Add flows, then find and remove them: the life of a short connection.</summary>
internal sealed class TableTurnoverLoop(int size) : TableLoop(size)
{
    private readonly Flow[] _fresh = new Flow[Operations];

    internal override string Name => $"table: add, find and remove, {SizeText}";

    internal override void Prepare()
    {
        base.Prepare();
        for (int i = 0; i < Operations; i++) { _fresh[i] = Samples.MakeFlow(Size + i); }
    }

    internal override long Run()
    {
        for (int i = 0; i < Operations; i++) { Table.Add(in _fresh[i], nowSeconds: 2); }
        for (int i = 0; i < Operations; i++) { Table.Remove(Table.Find(in _fresh[i])); }
        return Table.Count;
    }
}
