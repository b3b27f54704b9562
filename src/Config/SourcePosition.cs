namespace Conntrackd.Config;

/// <summary>A place in the file; line and column start at 1, the column counts characters.</summary>
internal readonly record struct SourcePosition(int Line, int Column);
