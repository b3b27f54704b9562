using System.Linq;
using Conntrackd.Tests.Integration;
using Xunit;

namespace Conntrackd.Tests.Packaging;

/// <summary>A theory that needs programs of the machine; skipped with their names.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ProgramTheoryAttribute : TheoryAttribute
{
    public ProgramTheoryAttribute(params string[] programs) => Skip = Programs.Missing(programs);
}

/// <summary>A fact that needs programs of the machine.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ProgramFactAttribute : FactAttribute
{
    public ProgramFactAttribute(params string[] programs) => Skip = Programs.Missing(programs);
}

/// <summary>A fact that needs programs, root, and the built daemon.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class BinaryFactAttribute : FactAttribute
{
    public BinaryFactAttribute(params string[] programs) => Skip =
        Requirements.MissingForLab() ?? Programs.Missing(programs);
}

/// <summary>What the machine has.</summary>
internal static class Programs
{
    internal static string? Missing(string[] programs)
    {
        string[] missing = [.. programs.Where(program => !Shell.Has(program))];
        return missing.Length == 0 ? null : $"packaging: no program {string.Join(", ", missing)}";
    }
}
