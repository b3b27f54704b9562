using System.Threading;
using Conntrackd.Conntrack;

namespace Conntrackd.Cache;

// Between the unpacked flow and its slot: what is stored where, and what is not stored at all.
internal sealed partial class FlowTable
{
    /// <summary>
    /// Known of a flow but not kept: counters and use count change without an event, TCP flags are
    /// of no use to a peer, a stop stamp is of a flow that has ended. Protocol and family are
    /// implied.
    /// </summary>
    private const FlowAttributes NotStored =
        FlowAttributes.Use | FlowAttributes.Counters | FlowAttributes.TcpFlags |
        FlowAttributes.TimestampStop | FlowAttributes.TimestampEvent;

    private const ulong NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Never changed by a merge: they are the identity, or stand in the tuples.</summary>
    private const FlowAttributes Identity =
        FlowAttributes.Orig | FlowAttributes.L4Keys | FlowAttributes.Protocol |
        FlowAttributes.Zone | FlowAttributes.ZoneOrig;

    private const FlowAttributes DescribedNat =
        FlowAttributes.Snat | FlowAttributes.Dnat | FlowAttributes.Spat | FlowAttributes.Dpat;

    /// <summary>What is compared to tell whether a peer must hear of a change.</summary>
    private const FlowAttributes Compared =
        FlowAttributes.Reply | FlowAttributes.Status | FlowAttributes.Mark |
        FlowAttributes.ProtocolState | FlowAttributes.TcpWscale | SlotSide.Attributes;

    /// <summary>Unpacks a slot. Writer's thread only.</summary>
    internal void Load(uint handle, ref Flow flow)
    {
        SlotHead head = Head(handle);
        LoadHead(in head, ref flow);
        if ((handle & Ipv6Bit) == 0) { LoadIpv4(Ipv4Addresses(handle), ref flow); }
        else { LoadIpv6(Ipv6Addresses(handle), ref flow); }
        LoadSide(head.Side, ref flow);
        LoadStart(handle, ref flow);
        if (flow.Has(FlowAttributes.Reply)) { flow.DescribeNat(); }
    }

    /// <summary>
    /// Unpacks a slot on any thread. False if the slot holds no flow, or a dead one, or did not
    /// stand still for a few tries (it is being replaced over and over; the caller may count it).
    /// </summary>
    internal bool TrySnapshot(uint handle, ref Flow flow, out SlotHead head)
    {
        for (int tries = 0; tries < 8; tries++)
        {
            ref SlotHead live = ref Head(handle);
            uint before = Volatile.Read(ref live.Version);
            head = live;
            LoadHead(in head, ref flow);
            if ((handle & Ipv6Bit) == 0) { LoadIpv4(Ipv4Addresses(handle), ref flow); }
            else { LoadIpv6(Ipv6Addresses(handle), ref flow); }
            LoadSide(head.Side, ref flow);
            LoadStart(handle, ref flow);
            Volatile.ReadBarrier();
            if ((before & 1) != 0 || Volatile.Read(ref live.Version) != before) { continue; }
            if (flow.Has(FlowAttributes.Reply)) { flow.DescribeNat(); }
            return head.Present != FlowAttributes.None && (head.Life & SlotLife.Dead) == 0;
        }
        head = default;
        return false;
    }

    /// <summary>
    /// True if <paramref name="flow"/>, just read from the kernel, says something else than the
    /// slot that a peer would want to know. Timeouts always differ and do not count; an absent mark
    /// is 0.
    /// </summary>
    internal bool Differs(uint handle, in Flow flow)
    {
        Flow stored = default;
        Load(handle, ref stored);
        FlowAttributes common = flow.Present & Compared;
        if (!stored.Has(common & ~(FlowAttributes.Mark | FlowAttributes.Synproxy))) { return true; }
        uint mark = flow.Has(FlowAttributes.Mark) ? flow.Mark : 0;
        uint storedMark = stored.Has(FlowAttributes.Mark) ? stored.Mark : 0;
        bool same = mark == storedMark &&
            (flow.Status & ~FlowStatus.Dying) == (stored.Status & ~FlowStatus.Dying) &&
            (!flow.Has(FlowAttributes.Reply) || flow.Reply == stored.Reply) &&
            (!flow.Has(FlowAttributes.ProtocolState) ||
                flow.ProtocolState == stored.ProtocolState) &&
            (!flow.Has(FlowAttributes.TcpWscale) ||
                (flow.TcpWscaleOrig == stored.TcpWscaleOrig &&
                 flow.TcpWscaleReply == stored.TcpWscaleReply));
        return !same || SideDiffers(in flow, in stored);
    }

    private static bool SideDiffers(in Flow flow, in Flow stored)
    {
        if ((flow.Present & SlotSide.Attributes) == 0) { return false; }
        return (flow.Has(FlowAttributes.Helper) && !flow.Helper.Equals(stored.Helper)) ||
            (flow.Has(FlowAttributes.Labels) &&
                (flow.LabelsLow != stored.LabelsLow || flow.LabelsHigh != stored.LabelsHigh)) ||
            (flow.Has(FlowAttributes.Master) && flow.Master != stored.Master) ||
            (flow.Has(FlowAttributes.SequenceAdjust) &&
                (flow.SequenceAdjustOrig != stored.SequenceAdjustOrig ||
                 flow.SequenceAdjustReply != stored.SequenceAdjustReply)) ||
            (flow.Has(FlowAttributes.SctpVtags) &&
                (flow.SctpVtagOrig != stored.SctpVtagOrig ||
                 flow.SctpVtagReply != stored.SctpVtagReply)) ||
            (flow.Has(FlowAttributes.Synproxy) &&
                (flow.SynproxyIsn | flow.SynproxyIts | flow.SynproxyTimestampOffset) != 0 &&
                (flow.SynproxyIsn != stored.SynproxyIsn || flow.SynproxyIts != stored.SynproxyIts));
    }

    private void StoreFresh(uint handle, ref SlotHead head, in Flow flow, uint nowSeconds)
    {
        uint version = head.Version;
        head = default;
        head.Version = version;
        head.Protocol = flow.Protocol;
        head.Zone = flow.KeyZone;
        head.CreatedSeconds = nowSeconds;
        head.Present = flow.Present & Identity;
        if ((handle & Ipv6Bit) == 0)
        {
            ref SlotAddressesIpv4 a = ref Ipv4Addresses(handle);
            a = default;
            a.OrigSource = (uint)flow.Orig.Source.Low;
            a.OrigTarget = (uint)flow.Orig.Target.Low;
            a.OrigL4Source = flow.Orig.L4Source;
            a.OrigL4Target = flow.Orig.L4Target;
        }
        else
        {
            ref SlotAddressesIpv6 a = ref Ipv6Addresses(handle);
            a = default;
            a.OrigSource = flow.Orig.Source;
            a.OrigTarget = flow.Orig.Target;
            a.OrigL4Source = flow.Orig.L4Source;
            a.OrigL4Target = flow.Orig.L4Target;
        }
        StoreAttributes(handle, ref head, in flow);
    }

    private void StoreAttributes(uint handle, ref SlotHead head, in Flow flow)
    {
        FlowAttributes added = flow.Present & ~(NotStored | Identity);
        if (flow.Has(FlowAttributes.Reply)) { added &= ~DescribedNat; }
        // Peers describe a translation in every message or there is none: what is held is then of
        // an earlier flow with this tuple, whose end was overtaken.
        else if ((head.Present & FlowAttributes.Reply) == 0) { head.Present &= ~DescribedNat; }
        head.Present |= added;
        if (flow.Has(FlowAttributes.Status)) { head.Status = (ushort)flow.Status; }
        if (flow.Has(FlowAttributes.Timeout)) { head.TimeoutSeconds = flow.TimeoutSeconds; }
        if (flow.Has(FlowAttributes.Mark)) { head.Mark = flow.Mark; }
        if (flow.Has(FlowAttributes.Id)) { head.IdOrTouched = flow.Id; }
        if (flow.Has(FlowAttributes.ProtocolState)) { head.ProtocolState = flow.ProtocolState; }
        if (flow.Has(FlowAttributes.TcpWscale))
        {
            head.Wscale = (byte)((flow.TcpWscaleOrig << 4) | (flow.TcpWscaleReply & 0xF));
        }
        if (flow.Has(FlowAttributes.TimestampStart)) { StoreStart(handle, in flow); }
        if ((added & (FlowAttributes.Reply | DescribedNat)) != 0) { StoreReply(handle, in flow); }
        if ((added & SlotSide.Attributes) == 0 || (head.Side == 0 && !SlotSide.IsNeeded(in flow)))
        {
            return;
        }
        if (head.Side == 0)
        {
            head.Side = _sides.Take();
            if (head.Side == 0)
            {
                // No memory: the flow is worth more than what is rare about it.
                head.Present &= ~SlotSide.Attributes;
                return;
            }
            _sides.As<SlotSide>(head.Side) = default;
        }
        _sides.As<SlotSide>(head.Side).Store(in flow);
    }

    private void StoreReply(uint handle, in Flow flow)
    {
        bool tuple = flow.Has(FlowAttributes.Reply);
        bool ipv6 = (handle & Ipv6Bit) != 0;
        if (tuple || flow.Has(FlowAttributes.Snat))
        {
            Address value = tuple ? flow.Reply.Target : flow.SnatAddress;
            if (ipv6) { Ipv6Addresses(handle).ReplyTarget = value; }
            else { Ipv4Addresses(handle).ReplyTarget = (uint)value.Low; }
        }
        if (tuple || flow.Has(FlowAttributes.Dnat))
        {
            Address value = tuple ? flow.Reply.Source : flow.DnatAddress;
            if (ipv6) { Ipv6Addresses(handle).ReplySource = value; }
            else { Ipv4Addresses(handle).ReplySource = (uint)value.Low; }
        }
        if (tuple || flow.Has(FlowAttributes.Spat))
        {
            ushort value = tuple ? flow.Reply.L4Target : flow.SpatPort;
            if (ipv6) { Ipv6Addresses(handle).ReplyL4Target = value; }
            else { Ipv4Addresses(handle).ReplyL4Target = value; }
        }
        if (tuple || flow.Has(FlowAttributes.Dpat))
        {
            ushort value = tuple ? flow.Reply.L4Source : flow.DpatPort;
            if (ipv6) { Ipv6Addresses(handle).ReplyL4Source = value; }
            else { Ipv4Addresses(handle).ReplyL4Source = value; }
        }
    }

    private StartTimes StartsOf(uint handle) =>
        (handle & Ipv6Bit) == 0 ? _ipv4Starts : _ipv6Starts;

    // Whole seconds are all that is ever shown of it.
    private void StoreStart(uint handle, in Flow flow) => StartsOf(handle).Set(
        handle & ~Ipv6Bit, (uint)(flow.TimestampStartNanoseconds / NanosecondsPerSecond));

    private void LoadStart(uint handle, ref Flow flow)
    {
        if (!flow.Has(FlowAttributes.TimestampStart)) { return; }
        flow.TimestampStartNanoseconds =
            StartsOf(handle).Get(handle & ~Ipv6Bit) * NanosecondsPerSecond;
    }

    private void FreeSide(ref SlotHead head)
    {
        if (head.Side == 0) { return; }
        _sides.Return(head.Side);
        head.Side = 0;
    }

    private ref SlotAddressesIpv4 Ipv4Addresses(uint handle) =>
        ref _ipv4.As<SlotAddressesIpv4>(handle, SlotHead.Size);

    private ref SlotAddressesIpv6 Ipv6Addresses(uint handle) =>
        ref _ipv6.As<SlotAddressesIpv6>(handle & ~Ipv6Bit, SlotHead.Size);

    private static void LoadHead(in SlotHead head, ref Flow flow)
    {
        flow.Present = head.Present;
        flow.Protocol = head.Protocol;
        flow.Zone = head.Zone;
        flow.ZoneOrig = head.Zone;
        flow.Status = (FlowStatus)head.Status;
        flow.TimeoutSeconds = head.TimeoutSeconds;
        flow.Mark = head.Mark;
        flow.Id = head.IdOrTouched;
        flow.ProtocolState = head.ProtocolState;
        flow.TcpWscaleOrig = (byte)(head.Wscale >> 4);
        flow.TcpWscaleReply = (byte)(head.Wscale & 0xF);
    }

    private static void LoadIpv4(SlotAddressesIpv4 a, ref Flow flow)
    {
        flow.Family = AddressFamily.Ipv4;
        flow.Orig.Source = new Address(0, a.OrigSource);
        flow.Orig.Target = new Address(0, a.OrigTarget);
        flow.Orig.L4Source = a.OrigL4Source;
        flow.Orig.L4Target = a.OrigL4Target;
        LoadReply(new Address(0, a.ReplySource), new Address(0, a.ReplyTarget),
            a.ReplyL4Source, a.ReplyL4Target, ref flow);
    }

    private static void LoadIpv6(SlotAddressesIpv6 a, ref Flow flow)
    {
        flow.Family = AddressFamily.Ipv6;
        flow.Orig.Source = a.OrigSource;
        flow.Orig.Target = a.OrigTarget;
        flow.Orig.L4Source = a.OrigL4Source;
        flow.Orig.L4Target = a.OrigL4Target;
        LoadReply(a.ReplySource, a.ReplyTarget, a.ReplyL4Source, a.ReplyL4Target, ref flow);
    }

    private static void LoadReply(
        Address source, Address target, ushort l4Source, ushort l4Target, ref Flow flow)
    {
        if (flow.Has(FlowAttributes.Reply))
        {
            flow.Reply = new FlowTuple
            {
                Source = source,
                Target = target,
                L4Source = l4Source,
                L4Target = l4Target,
            };
            return;
        }
        flow.DnatAddress = source;
        flow.SnatAddress = target;
        flow.DpatPort = l4Source;
        flow.SpatPort = l4Target;
    }

    private void LoadSide(uint side, ref Flow flow)
    {
        if ((flow.Present & SlotSide.Attributes) == 0) { return; }
        if (side != 0)
        {
            _sides.As<SlotSide>(side).Load(ref flow);
            return;
        }
        flow.LabelsLow = flow.LabelsHigh = 0;
        flow.SynproxyIsn = flow.SynproxyIts = flow.SynproxyTimestampOffset = 0;
    }
}
