using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>What a parse came to.</summary>
/// <param name="Options">Null if there is an error among the diagnostics.</param>
/// <param name="Diagnostics">Warnings and errors in the order of the file.</param>
internal sealed record ConfigResult(Options? Options, IReadOnlyList<Diagnostic> Diagnostics);
