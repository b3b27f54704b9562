using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests;

/// <summary>A theory that needs root; skipped aloud without.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute()
    {
        if (!Libc.IsRoot)
        {
            Skip = "needs root: it makes a network namespace and changes the kernel's table there";
        }
    }
}
