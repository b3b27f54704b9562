using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>Counters of one cache.</summary>
/// <param name="Active">Flows that are alive.</param>
/// <param name="Objects">Flows that hold memory, dead ones kept for resending included.</param>
/// <param name="Created">Flows added.</param>
/// <param name="CreateFailedMemory">Not added: no memory.</param>
/// <param name="CreateFailedSpace">Not added: the table is full.</param>
/// <param name="Updated">Flows updated.</param>
/// <param name="UpdateNotFound">Not updated: not there.</param>
/// <param name="Destroyed">Flows removed.</param>
/// <param name="DestroyNotFound">Not removed: not there.</param>
internal readonly record struct CacheReport(
    ulong Active, ulong Objects,
    ulong Created, ulong CreateFailedMemory, ulong CreateFailedSpace,
    ulong Updated, ulong UpdateNotFound,
    ulong Destroyed, ulong DestroyNotFound);

/// <summary>What passed by a switched-off internal cache.</summary>
internal readonly record struct BypassReport(ulong Created, ulong Updated, ulong Destroyed);

/// <summary>What was written to the kernel past a switched-off external cache.</summary>
internal readonly record struct InjectReport(
    ulong Created, ulong CreateFailed,
    ulong Updated, ulong UpdateFailed,
    ulong Destroyed, ulong DestroyFailed);

/// <summary>
/// What left the external cache though no peer told its end, by what showed it.
/// </summary>
/// <param name="Swept">A peer of our own kind sent all it had, without it.</param>
/// <param name="Outlived">Its time was over, and the original, asked, told it no more.</param>
/// <param name="Expired">ALARM: nobody repeated it within CacheTimeout.</param>
/// <param name="ExpectationsExpired">The time of an expectation was over.</param>
internal readonly record struct RemovalReport(
    ulong Swept, ulong Outlived, ulong Expired, ulong ExpectationsExpired);

internal static partial class Reports
{
    /// <summary>Appends a block of our own, for <c>-s cache</c> in our forms.</summary>
    internal static void AppendRemovals(TextBuffer text, in RemovalReport removed)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendRemovals(text, removed);
            return;
        }
        text.Append("external cache, removed without a word:\n"u8);
        AppendLine(text, "\tnot in a whole bulk:\t"u8, removed.Swept, Wide);
        AppendLine(text, "\toutlived, not told:\t"u8, removed.Outlived, Wide);
        AppendLine(text, "\tnot repeated:\t\t"u8, removed.Expired, Wide);
        AppendLine(text, "\texpectations expired:\t"u8, removed.ExpectationsExpired, Wide);
        text.Append((byte)'\n');
    }

    /// <summary>
    /// Appends the short block. <paramref name="name"/> is <c>internal</c>, <c>external</c> or
    /// <c>stats</c>. Only failed additions count as failures, as ever.
    /// </summary>
    internal static void AppendCache(TextBuffer text, ReadOnlySpan<byte> name, in CacheReport cache)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendCache(text, name, cache);
            return;
        }
        text.Append("cache "u8);
        text.Append(name);
        text.Append(":\n"u8);
        AppendLine(text, "current active connections:\t"u8, cache.Active, Narrow);
        AppendChanges(text, new InjectReport(
            cache.Created, cache.CreateFailedMemory + cache.CreateFailedSpace,
            cache.Updated, UpdateFailed: 0,
            cache.Destroyed, DestroyFailed: 0));
    }

    /// <summary>Appends the block that stands for a switched-off internal cache.</summary>
    internal static void AppendBypass(TextBuffer text, in BypassReport bypass)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendBypass(text, bypass);
            return;
        }
        text.Append("internal bypass:\n"u8);
        AppendLine(text, "connections new:\t\t"u8, bypass.Created, Narrow);
        AppendLine(text, "connections updated:\t\t"u8, bypass.Updated, Narrow);
        AppendLine(text, "connections destroyed:\t\t"u8, bypass.Destroyed, Narrow);
        text.Append((byte)'\n');
    }

    /// <summary>Appends the block that stands for a switched-off external cache.</summary>
    internal static void AppendInject(TextBuffer text, in InjectReport inject)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendInject(text, inject);
            return;
        }
        text.Append("external inject:\n"u8);
        AppendChanges(text, inject);
    }

    /// <summary>Appends the block of <c>-s cache</c>.</summary>
    internal static void AppendCacheDetail(
        TextBuffer text, ReadOnlySpan<byte> name, in CacheReport cache)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendCache(text, name, cache);
            return;
        }
        ulong createFailed = cache.CreateFailedMemory + cache.CreateFailedSpace;
        text.Append("cache:"u8);
        text.Append(name);
        AppendLine(text, "\tactive objects:\t\t"u8, cache.Objects, Narrow);
        AppendRatio(text, "\tactive/total entries:\t\t"u8, cache.Active, cache.Objects);
        AppendRatio(text, "\tcreation OK/failed:\t\t"u8, cache.Created, createFailed);
        AppendLine(text, "\t\tno memory available:\t"u8, cache.CreateFailedMemory, Narrow);
        AppendLine(text, "\t\tno space left in cache:\t"u8, cache.CreateFailedSpace, Narrow);
        AppendRatio(text, "\tupdate OK/failed:\t\t"u8, cache.Updated, cache.UpdateNotFound);
        AppendLine(text, "\t\tentry not found:\t"u8, cache.UpdateNotFound, Narrow);
        AppendRatio(
            text, "\tdeletion created/failed:\t"u8, cache.Destroyed, cache.DestroyNotFound);
        AppendLine(text, "\t\tentry not found:\t"u8, cache.DestroyNotFound, Narrow);
        text.Append((byte)'\n');
    }

    /// <summary>
    /// Appends the traffic block: sums over destroyed flows, both directions, if the kernel counts.
    /// </summary>
    internal static void AppendTraffic(TextBuffer text, ulong bytes, ulong packets)
    {
        if (text.WantsJson)
        {
            JsonReports.AppendTraffic(text, bytes, packets);
            return;
        }
        text.Append("traffic processed:\n"u8);
        AppendPair(text, ""u8, bytes, " Bytes      "u8, packets, " Pckts"u8, Wide);
        text.Append((byte)'\n');
    }

    private static void AppendChanges(TextBuffer text, in InjectReport changes)
    {
        AppendChange(text, "connections created:\t\t"u8, changes.Created, changes.CreateFailed);
        AppendChange(text, "connections updated:\t\t"u8, changes.Updated, changes.UpdateFailed);
        AppendChange(
            text, "connections destroyed:\t\t"u8, changes.Destroyed, changes.DestroyFailed);
        text.Append((byte)'\n');
    }

    private static void AppendChange(
        TextBuffer text, ReadOnlySpan<byte> name, ulong done, ulong failed) =>
        AppendPair(text, name, done, "\tfailed:\t"u8, failed, ""u8, Narrow);

    private static void AppendRatio(
        TextBuffer text, ReadOnlySpan<byte> name, ulong first, ulong second) =>
        AppendPair(text, name, first, "/"u8, second, ""u8, Narrow);
}
