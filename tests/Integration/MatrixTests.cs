using System.Collections.Concurrent;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using Xunit;
using Xunit.Abstractions;

namespace Conntrackd.Tests.Integration;

/// <summary>Every pair in every mode over every link, with and without external cache.</summary>
public sealed class MatrixTests(ITestOutputHelper output)
{
    // Most of a cell is waiting; the labs know nothing of each other.
    private const int Labs = 3;

    [LoadFact]
    public void Every_cell_of_the_mixed_matrix_converges_to_equal_tables()
    {
        MatrixCell[] cells = [.. MatrixCell.All];
        var seconds = new ConcurrentDictionary<MatrixCell, double>();
        var failures = new ConcurrentQueue<string>();
        Lab[] labs = [.. Enumerable.Range(0, Labs).Select(_ => new Lab())];
        try
        {
            var waiting = new ConcurrentQueue<int>(Enumerable.Range(0, cells.Length));
            Parallel.ForEach(labs, new ParallelOptions { MaxDegreeOfParallelism = Labs }, lab =>
            {
                var load = new LoadTool(lab);
                while (waiting.TryDequeue(out int number))
                {
                    MatrixCell cell = cells[number];
                    try
                    {
                        seconds[cell] = cell.Run(lab, load, number);
                    }
                    catch (InvalidOperationException error)
                    {
                        failures.Enqueue(error.Message);
                    }
                }
            });
        }
        finally
        {
            Array.ForEach(labs, lab => lab.Dispose());
        }
        Print(seconds);
        Assert.True(failures.IsEmpty, string.Join("\n\n", failures));
        Assert.Equal(cells.Length, seconds.Count);
    }

    private void Print(ConcurrentDictionary<MatrixCell, double> seconds)
    {
        output.WriteLine("measured: matrix, seconds until the tables are equal "
            + string.Concat(MatrixCell.Links.Select(link => $"{link,11}")));
        foreach (var row in MatrixCell.All.GroupBy(cell => cell.Row))
        {
            output.WriteLine($"measured: matrix, {row.Key,-36}" + string.Concat(row.Select(cell =>
                seconds.TryGetValue(cell, out double time)
                    ? string.Create(CultureInfo.InvariantCulture, $"{time,11:F2}")
                    : $"{"FAILED",11}")));
        }
        output.WriteLine("measured: matrix, not there: ALARM without external cache (no such "
            + "option, sync.md 19), keys of GRE and ports of UDP-Lite (not on the "
            + "wire, sync.md 23)");
    }
}
