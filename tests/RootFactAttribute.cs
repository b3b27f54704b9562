using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests;

/// <summary>
/// A test that needs root (namespaces, the kernel's table); skipped aloud without.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute() => Skip = Missing;

    /// <summary>Why such a test is skipped; null if it is not.</summary>
    internal static string? Missing => Libc.IsRoot ? null
        : "needs root: it makes a network namespace and changes the kernel's table there";
}
