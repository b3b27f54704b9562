namespace Conntrackd.Sync;

/// <summary>What a line of keepalived says of a group or an instance.</summary>
internal enum VrrpWord : byte
{
    Master,
    Backup,
    Fault,
    Stop,
    Deleted,

    /// <summary>A weaker master was heard: there were two for a moment, or still are.</summary>
    DoubleMaster,               // MASTER_RX_LOWER_PRI

    /// <summary>Only the priority changed.</summary>
    Priority,                   // MASTER_PRIORITY, BACKUP_PRIORITY
}

/// <summary>One line of keepalived's notify FIFO.</summary>
/// <remarks><code>
/// GROUP "FW" MASTER 0
/// INSTANCE "VI_1" BACKUP 100
/// </code>
/// The name is not escaped and may hold blanks and quotes, so the line is read from both ends.
/// Source: shared spec failover, section 1.2; keepalived vrrp_notify.c.
/// </remarks>
internal readonly ref struct VrrpLine
{
    private VrrpLine(bool isGroup, ReadOnlySpan<byte> name, VrrpWord word, uint priority)
    {
        IsGroup = isGroup;
        Name = name;
        Word = word;
        Priority = priority;
    }

    /// <summary>False: an instance.</summary>
    internal bool IsGroup { get; }

    internal ReadOnlySpan<byte> Name { get; }

    internal VrrpWord Word { get; }

    /// <summary>Effective priority; a group always says 0.</summary>
    internal uint Priority { get; }

    /// <summary>Reads a line without its line feed; false for whatever is none.</summary>
    internal static bool TryParse(ReadOnlySpan<byte> line, out VrrpLine parsed)
    {
        parsed = default;
        bool isGroup = line.StartsWith("GROUP \""u8);
        if (!isGroup && !line.StartsWith("INSTANCE \""u8)) { return false; }
        ReadOnlySpan<byte> rest = line[(isGroup ? 7 : 10)..];
        int space = rest.LastIndexOf((byte)' ');
        if (space < 0 || !TryReadNumber(rest[(space + 1)..], out uint priority)) { return false; }
        rest = rest[..space];
        space = rest.LastIndexOf((byte)' ');
        if (space < 1 || rest[space - 1] != '"') { return false; }
        if (!TryReadWord(rest[(space + 1)..], out VrrpWord word)) { return false; }
        parsed = new VrrpLine(isGroup, rest[..(space - 1)], word, priority);
        return true;
    }

    private static bool TryReadWord(ReadOnlySpan<byte> text, out VrrpWord word)
    {
        VrrpWord? found =
            text.SequenceEqual("MASTER"u8) ? VrrpWord.Master
            : text.SequenceEqual("BACKUP"u8) ? VrrpWord.Backup
            : text.SequenceEqual("FAULT"u8) ? VrrpWord.Fault
            : text.SequenceEqual("STOP"u8) ? VrrpWord.Stop
            : text.SequenceEqual("DELETED"u8) ? VrrpWord.Deleted
            : text.SequenceEqual("MASTER_RX_LOWER_PRI"u8) ? VrrpWord.DoubleMaster
            : text.SequenceEqual("MASTER_PRIORITY"u8) ? VrrpWord.Priority
            : text.SequenceEqual("BACKUP_PRIORITY"u8) ? VrrpWord.Priority
            : null;
        word = found.GetValueOrDefault();
        return found.HasValue;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> text, out uint number)
    {
        number = 0;
        if (text.IsEmpty || text.Length > 9) { return false; }
        foreach (byte digit in text)
        {
            if (!char.IsAsciiDigit((char)digit)) { return false; }
            number = (number * 10) + digit - '0';
        }
        return true;
    }
}
