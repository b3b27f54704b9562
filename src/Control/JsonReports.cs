using Conntrackd.Conntrack;

namespace Conntrackd.Control;

/// <summary>The blocks of <see cref="Reports"/> as JSON, one object a line.</summary>
/// <remarks>
/// Every object has a field "type". Names are stable: fields may be added, none is renamed
/// (docs/output.md). <see cref="Reports"/> calls this if the buffer wants JSON.
/// </remarks>
internal static class JsonReports
{
    internal static void AppendCache(
        TextBuffer text, ReadOnlySpan<byte> name, in CacheReport cache)
    {
        Begin(text, "cache"u8);
        JsonText.Field(text, "name"u8, name);
        JsonText.Field(text, "active"u8, cache.Active);
        JsonText.Field(text, "objects"u8, cache.Objects);
        JsonText.Field(text, "created"u8, cache.Created);
        JsonText.Field(text, "create_failed_memory"u8, cache.CreateFailedMemory);
        JsonText.Field(text, "create_failed_space"u8, cache.CreateFailedSpace);
        JsonText.Field(text, "updated"u8, cache.Updated);
        JsonText.Field(text, "update_not_found"u8, cache.UpdateNotFound);
        JsonText.Field(text, "destroyed"u8, cache.Destroyed);
        JsonText.Field(text, "destroy_not_found"u8, cache.DestroyNotFound);
        End(text);
    }

    internal static void AppendBypass(TextBuffer text, in BypassReport bypass)
    {
        Begin(text, "bypass"u8);
        JsonText.Field(text, "created"u8, bypass.Created);
        JsonText.Field(text, "updated"u8, bypass.Updated);
        JsonText.Field(text, "destroyed"u8, bypass.Destroyed);
        End(text);
    }

    internal static void AppendInject(TextBuffer text, in InjectReport inject)
    {
        Begin(text, "inject"u8);
        JsonText.Field(text, "created"u8, inject.Created);
        JsonText.Field(text, "create_failed"u8, inject.CreateFailed);
        JsonText.Field(text, "updated"u8, inject.Updated);
        JsonText.Field(text, "update_failed"u8, inject.UpdateFailed);
        JsonText.Field(text, "destroyed"u8, inject.Destroyed);
        JsonText.Field(text, "destroy_failed"u8, inject.DestroyFailed);
        End(text);
    }

    internal static void AppendTraffic(TextBuffer text, ulong bytes, ulong packets)
    {
        Begin(text, "traffic"u8);
        JsonText.Field(text, "bytes"u8, bytes);
        JsonText.Field(text, "packets"u8, packets);
        End(text);
    }

    internal static void AppendLink(TextBuffer text, in LinkReport link)
    {
        Begin(text, "link"u8);
        JsonText.Field(text, "kind"u8, link.Kind switch
        {
            LinkKind.Multicast => "multicast"u8,
            LinkKind.Tcp => "tcp"u8,
            _ => "udp"u8,
        });
        JsonText.Field(text, "device"u8, System.Text.Encoding.UTF8.GetBytes(link.Device));
        JsonText.Field(text, "status"u8, link.Status switch
        {
            LinkStatus.Running => "running"u8,
            LinkStatus.NoCarrier => "no-carrier"u8,
            _ => "down"u8,
        });
        JsonText.Field(text, "active"u8, link.Active);
        JsonText.Field(text, "bytes_sent"u8, link.BytesSent);
        JsonText.Field(text, "bytes_received"u8, link.BytesReceived);
        JsonText.Field(text, "packets_sent"u8, link.PacketsSent);
        JsonText.Field(text, "packets_received"u8, link.PacketsReceived);
        JsonText.Field(text, "errors_sent"u8, link.ErrorsSent);
        JsonText.Field(text, "errors_received"u8, link.ErrorsReceived);
        if (link.Kind == LinkKind.Tcp)
        {
            JsonText.Field(text, "server_connected"u8, link.ServerConnected);
            JsonText.Field(text, "client_connected"u8, link.ClientConnected);
        }
        if (link.Duplicates is ulong duplicates)
        {
            JsonText.Field(text, "duplicates_received"u8, duplicates);
        }
        End(text);
    }

    internal static void AppendFrames(TextBuffer text, in FramesReport frames)
    {
        Begin(text, "frames"u8);
        JsonText.Field(text, "sealed"u8, frames.IsSealed);
        if (frames.IsSealed)
        {
            JsonText.Field(text, "key_active"u8, frames.ActiveKey);
            JsonText.Field(text, "nodes_proven"u8, (ulong)frames.Nodes);
        }
        JsonText.Field(text, "accepted"u8, frames.Accepted);
        JsonText.Field(text, "beacons"u8, frames.Beacons);
        JsonText.Field(text, "plain"u8, frames.Plain);
        JsonText.Field(text, "malformed"u8, frames.Malformed);
        JsonText.Field(text, "corrupt"u8, frames.Corrupt);
        JsonText.Field(text, "unknown_key"u8, frames.UnknownKey);
        JsonText.Field(text, "forged"u8, frames.Forged);
        JsonText.Field(text, "reflected"u8, frames.Reflected);
        JsonText.Field(text, "unproven"u8, frames.Unproven);
        JsonText.Field(text, "replayed"u8, frames.Replayed);
        JsonText.Field(text, "late"u8, frames.Late);
        JsonText.Field(text, "crowded"u8, frames.Crowded);
        End(text);
    }

    internal static void AppendMessages(TextBuffer text, ulong malformed, ulong lost)
    {
        Begin(text, "messages"u8);
        JsonText.Field(text, "malformed"u8, malformed);
        JsonText.Field(text, "lost"u8, lost);
        End(text);
    }

    internal static void AppendNetwork(TextBuffer text, in NetworkReport network)
    {
        Begin(text, "network"u8);
        JsonText.Field(text, "malformed"u8, network.Malformed);
        JsonText.Field(text, "bad_version"u8, network.BadVersion);
        JsonText.Field(text, "bad_header"u8, network.BadHeader);
        JsonText.Field(text, "bad_payload"u8, network.BadPayload);
        JsonText.Field(text, "bad_type"u8, network.BadType);
        JsonText.Field(text, "truncated"u8, network.Truncated);
        JsonText.Field(text, "bad_size"u8, network.BadSize);
        JsonText.Field(text, "send_malformed"u8, network.SendMalformed);
        JsonText.Field(text, "lost"u8, network.Lost);
        JsonText.Field(text, "before"u8, network.Before);
        End(text);
    }

    internal static void AppendRuntime(TextBuffer text, in RuntimeReport runtime)
    {
        Begin(text, "runtime"u8);
        JsonText.Field(text, "uptime_seconds"u8, (ulong)Math.Max(runtime.UptimeSeconds, 0));
        JsonText.Field(text, "events_received"u8, runtime.EventsReceived);
        JsonText.Field(text, "events_filtered"u8, runtime.EventsFiltered);
        JsonText.Field(text, "events_unknown_type"u8, runtime.EventsUnknownType);
        JsonText.Field(text, "catch_event_failed"u8, runtime.CatchEventFailed);
        JsonText.Field(text, "dump_unknown_type"u8, runtime.DumpUnknownType);
        JsonText.Field(text, "overruns"u8, runtime.Overruns);
        JsonText.Field(text, "kernel_flushes"u8, runtime.FlushKernel);
        JsonText.Field(text, "kernel_resyncs"u8, runtime.ResyncKernel);
        JsonText.Field(text, "event_buffer_bytes"u8, runtime.BufferBytes);
        JsonText.Field(text, "readers_failed"u8, runtime.ChildFailed);
        JsonText.Field(text, "local_read_failed"u8, runtime.LocalReadFailed);
        JsonText.Field(text, "local_unknown_request"u8, runtime.LocalUnknownRequest);
        End(text);
    }

    internal static void AppendReader(TextBuffer text, int threadId, ReadOnlySpan<byte> kind)
    {
        Begin(text, "reader"u8);
        JsonText.Field(text, "thread"u8, (ulong)threadId);
        JsonText.Field(text, "kind"u8, kind);
        End(text);
    }

    internal static void AppendConfinement(TextBuffer text, in ConfinementReport report)
    {
        Begin(text, "sandbox"u8);
        JsonText.Field(text, "capabilities"u8,
            System.Text.Encoding.ASCII.GetBytes(report.Capabilities));
        JsonText.Field(text, "no_new_privileges"u8, report.NoNewPrivileges);
        JsonText.Field(text, "landlock"u8, (ulong)report.LandlockVersion);
        JsonText.Field(text, "system_calls"u8,
            System.Text.Encoding.ASCII.GetBytes(report.SystemCalls));
        End(text);
    }

    internal static void AppendKeyMemory(TextBuffer text, in KeyMemoryReport report)
    {
        Begin(text, "keys"u8);
        JsonText.Field(text, "memory_bytes"u8, (ulong)report.Bytes);
        JsonText.Field(text, "locked_bytes"u8, (ulong)report.LockedBytes);
        JsonText.Field(text, "core_dumps"u8, report.CoreDumps);
        End(text);
    }

    internal static void AppendAccess(
        TextBuffer text, in ControlAccess access, ControlCounters counters)
    {
        Begin(text, "control-socket"u8);
        if (access.Group is uint group) { JsonText.Field(text, "group"u8, group); }
        JsonText.Field(text, "group_may_change"u8, access.OthersMayChange);
        JsonText.Field(text, "requests_refused"u8, counters.Refused);
        End(text);
    }

    internal static void AppendQueueNodes(TextBuffer text, ulong count)
    {
        Begin(text, "queue-nodes"u8);
        JsonText.Field(text, "allocated"u8, count);
        End(text);
    }

    internal static void AppendQueue(
        TextBuffer text, ReadOnlySpan<byte> name, in QueueReport queue)
    {
        Begin(text, "queue"u8);
        JsonText.Field(text, "name"u8, name);
        JsonText.Field(text, "count"u8, queue.Count);
        JsonText.Field(text, "count_max"u8, queue.CountMax);
        JsonText.Field(text, "no_space"u8, queue.NoSpace);
        End(text);
    }

    internal static void AppendResendQueue(TextBuffer text, ulong count)
    {
        Begin(text, "resend-queue"u8);
        JsonText.Field(text, "count"u8, count);
        End(text);
    }

    internal static void AppendResend(
        TextBuffer text, ReadOnlySpan<byte> kind, uint sequence, byte flags)
    {
        Begin(text, "resend"u8);
        JsonText.Field(text, "kind"u8, kind);
        JsonText.Field(text, "sequence"u8, sequence);
        JsonText.Field(text, "flags"u8, flags);
        End(text);
    }

    internal static void AppendPeer(TextBuffer text, in PeerReport peer)
    {
        Begin(text, "peer"u8);
        JsonText.Field(text, "address"u8, peer.Family, peer.Address);
        JsonText.Field(text, "alive"u8, peer.IsAlive);
        JsonText.Field(text, "in_sync"u8, peer.IsInSync);
        JsonText.Field(text, "in_flight"u8, (ulong)peer.InFlight);
        JsonText.Field(text, "lost"u8, peer.Lost);
        JsonText.Field(text, "before"u8, peer.Before);
        JsonText.Field(text, "silent_seconds"u8, (ulong)Math.Max(peer.SilentSeconds, 0));
        if (peer.RoundTripMicroseconds != 0)
        {
            JsonText.Field(text, "round_trip_us"u8, (ulong)peer.RoundTripMicroseconds);
        }
        JsonText.Field(text, "behind_us"u8, (ulong)peer.BehindMicroseconds);
        JsonText.Field(text, "bulk_missing"u8, peer.BulkMissing);
        End(text);
    }

    internal static void AppendRemovals(TextBuffer text, in RemovalReport removed)
    {
        Begin(text, "removals"u8);
        JsonText.Field(text, "swept"u8, removed.Swept);
        JsonText.Field(text, "outlived"u8, removed.Outlived);
        JsonText.Field(text, "expired"u8, removed.Expired);
        JsonText.Field(text, "expectations_expired"u8, removed.ExpectationsExpired);
        End(text);
    }

    internal static void AppendLoop(TextBuffer text, in LoopReport loop)
    {
        Begin(text, "loop"u8);
        JsonText.Field(text, "turns"u8, loop.Turns);
        JsonText.Field(text, "longest_turn_us"u8, (ulong)loop.LongestMicroseconds);
        JsonText.Field(text, "heap_collections"u8, (ulong)loop.Collections);
        End(text);
    }

    private static void Begin(TextBuffer text, ReadOnlySpan<byte> type)
    {
        JsonText.Begin(text);
        JsonText.Field(text, "type"u8, type);
    }

    private static void End(TextBuffer text)
    {
        JsonText.End(text);
        text.Append((byte)'\n');
    }
}
