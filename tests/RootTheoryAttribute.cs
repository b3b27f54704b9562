using Xunit;

namespace Conntrackd.Tests;

/// <summary>A theory that needs root; skipped aloud without.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute() => Skip = RootFactAttribute.Missing;
}
