namespace Conntrackd.Config;

/// <summary>A place in the file: line and column, both from 1, in characters.</summary>
internal readonly record struct SourcePosition(int Line, int Column);
