using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests;

/// <summary>
/// A test that needs root (namespaces, the kernel's table); skipped aloud without.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute()
    {
        if (!Libc.IsRoot)
        {
            Skip = "needs root: it makes a network namespace and changes the kernel's table there";
        }
    }
}
