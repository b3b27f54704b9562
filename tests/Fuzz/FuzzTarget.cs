using System.Collections.Generic;

namespace Conntrackd.Tests.Fuzz;

/// <summary>
/// Something that reads bytes from outside, with what must hold whatever they are.
/// </summary>
/// <remarks>
/// A target lives for some thousands of inputs, so that what one input leaves behind meets the
/// next ones. It decides by the bytes alone (and by what came before), never by the random source:
/// the same inputs in the same order are the same run.
/// </remarks>
internal abstract class FuzzTarget : IDisposable
{
    /// <summary>
    /// Managed memory that one input of this length may cost. A piece of a table of expectations
    /// has 70 kB and is taken when the first is met.
    /// </summary>
    internal virtual long AllocationMax(int bytes) => 256 * 1024;

    /// <summary>
    /// Reads one input and throws if something does not hold. Returns what the code made of it, a
    /// number that differs if it went another way: inputs with a new one are mutated further.
    /// </summary>
    internal abstract uint Give(ReadOnlySpan<byte> input);

    /// <summary>Throws unless a good input still does what it should.</summary>
    internal abstract void Probe();

    public virtual void Dispose()
    {
    }

    /// <summary>Fails the run with a reason.</summary>
    protected static void Require(bool holds, string what)
    {
        if (!holds) { throw new InvalidOperationException(what); }
    }
}

/// <summary>How to make a target, what to begin with, and how its inputs are built.</summary>
/// <param name="Name">One word, also the beginning of the names of its tapes.</param>
/// <param name="Shape">What the mutator knows of the format.</param>
/// <param name="Corpus">Good inputs.</param>
/// <param name="Make">A new target.</param>
/// <param name="Inputs">Of a short run.</param>
internal sealed record FuzzSubject(
    string Name, Shape Shape, Func<List<byte[]>> Corpus, Func<FuzzTarget> Make, int Inputs);
