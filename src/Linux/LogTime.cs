namespace Conntrackd.Linux;

/// <summary>Local time as ctime(3) writes it: <c>Sat Sep 26 07:09:05 2026</c>.</summary>
internal static class LogTime
{
    internal const int Size = 24;

    /// <summary>
    /// Where month, day and time begin, and how long they are: the time of syslog.
    /// </summary>
    internal const int SyslogAt = 4, SyslogSize = 15;

    private const int SecondAt = 0, MinuteAt = 1, HourAt = 2, DayAt = 3, MonthAt = 4, YearAt = 5,
        WeekdayAt = 6, PartCount = 7;

    /// <summary>Writes 24 bytes; the day is padded with a blank.</summary>
    internal static void Write(Span<byte> target, long wallSeconds)
    {
        Span<int> parts = stackalloc int[PartCount];
        Libc.LocalTime(wallSeconds, parts);
        target[..Size].Fill((byte)' ');
        "SunMonTueWedThuFriSat"u8.Slice(parts[WeekdayAt] * 3, 3).CopyTo(target);
        "JanFebMarAprMayJunJulAugSepOctNovDec"u8.Slice(parts[MonthAt] * 3, 3).CopyTo(target[4..]);
        WriteNumber(target.Slice(8, 2), parts[DayAt], (byte)' ');
        WriteNumber(target.Slice(11, 2), parts[HourAt], (byte)'0');
        WriteNumber(target.Slice(14, 2), parts[MinuteAt], (byte)'0');
        WriteNumber(target.Slice(17, 2), parts[SecondAt], (byte)'0');
        WriteNumber(target.Slice(20, 4), parts[YearAt] + 1900, (byte)'0');
        target[13] = target[16] = (byte)':';
    }

    /// <summary>Fills <paramref name="target"/> from the right.</summary>
    private static void WriteNumber(Span<byte> target, int value, byte pad)
    {
        for (int i = target.Length - 1; i >= 0; i--)
        {
            bool leading = value == 0 && i < target.Length - 1;
            target[i] = leading ? pad : (byte)('0' + (value % 10));
            value /= 10;
        }
    }
}
