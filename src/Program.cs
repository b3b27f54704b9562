namespace Conntrackd;

/// <summary>Entry point: daemon, or one request to a running daemon.</summary>
internal static class Program
{
    private static int Main() => 0;
}
