using System.Diagnostics;
using System.Threading;

namespace Conntrackd.Tests.Integration;

/// <summary>Waits for what must come true soon, and says what did not.</summary>
internal static class Wait
{
    private const int PollMilliseconds = 50;

    internal static void Until(string what, double seconds, Func<bool> isTrue) =>
        Until(what, seconds, isTrue, static value => value);

    /// <summary>Reads until the value is good; returns the seconds that took.</summary>
    internal static double Until<T>(string what, double seconds, Func<T> read, Func<T, bool> isGood)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            T value = read();
            double passed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (isGood(value))
            {
                return passed;
            }
            if (passed > seconds)
            {
                throw new TimeoutException($"after {passed:F1} s still not: {what}; last: {value}");
            }
            Thread.Sleep(PollMilliseconds);
        }
    }
}
