using Conntrackd.Conntrack;

namespace Conntrackd.Config;

internal sealed partial class EffectiveText
{
    private void WriteSync(SyncOptions sync)
    {
        Begin("Sync");
        WriteMode(sync);
        foreach (LinkOptions link in sync.Links) { WriteLink(link, sync); }
        Begin("Options");
        Setting("Options", "TCPWindowTracking", Switch(sync.TcpWindowTracking));
        ExpectationSync expectations = sync.ExpectationSync;
        if (expectations.IsOn && expectations.Helpers.Count > 0)
        {
            Begin("ExpectationSync");
            foreach (string helper in expectations.Helpers) { Line(helper); }
            End();
        }
        else { Setting("Options", "ExpectationSync", Switch(expectations.IsOn)); }
        if (sync.NodeNumber != 0) { Setting("Options", "NodeNumber", sync.NodeNumber); }
        else { Comment("NodeNumber: not set, the end of the address on the link is used"); }
        Begin("Restore");
        foreach ((string name, FlowAttributes attributes, _) in RestoredAttributes.All)
        {
            Setting("Restore", name, Switch((sync.Withheld & attributes) == 0));
        }
        End();
        Setting("Options", "RedundantLinks", Switch(sync.RedundantLinks));
        End();
        End();
    }

    private void WriteMode(SyncOptions sync)
    {
        switch (sync.Mode)
        {
            case SyncMode.Ftfw:
                Begin("Mode FTFW");
                Setting("Sync", "ResendQueueSize", sync.ResendQueueSize);
                Setting("Sync", "ACKWindowSize", sync.AckWindowSize);
                break;
            case SyncMode.NoTrack:
                Begin("Mode NOTRACK");
                Setting("Sync", "DisableInternalCache", Switch(sync.DisableInternalCache));
                break;
            default:
                Begin("Mode ALARM");
                Setting("Sync", "RefreshTime", sync.RefreshSeconds);
                Setting("Sync", "CacheTimeout", sync.CacheTimeoutSeconds);
                break;
        }
        if (sync.CommitTimeoutSeconds != 0)
        {
            Setting("Sync", "CommitTimeout", sync.CommitTimeoutSeconds);
        }
        else { Comment("CommitTimeout: not set, what the peer said last counts"); }
        Setting("Sync", "PurgeTimeout", sync.PurgeTimeoutSeconds);
        if (sync.Mode != SyncMode.Alarm)
        {
            Setting("Sync", "DisableExternalCache", Switch(sync.DisableExternalCache));
            Setting("Sync", "StartupResync", Switch(sync.StartupResync));
        }
        End();
    }

    private void WriteLink(LinkOptions link, SyncOptions sync)
    {
        string kind = link.Kind switch
        {
            LinkKind.Multicast => "Multicast",
            LinkKind.Tcp => "TCP",
            _ => "UDP",
        };
        Begin(link.IsDefault ? $"{kind} Default" : kind, link.Position);
        string family = link.Family == AddressFamily.Ipv6 ? "IPv6" : "IPv4";
        if (link.Kind == LinkKind.Multicast)
        {
            Line($"{family}_address {AddressText.Format(link.Family, link.GroupAddress)}");
            if (link.InterfaceAddress is Address own)
            {
                Line($"{family}_interface {AddressText.Format(link.Family, own)}");
            }
            Line($"Group {link.Port}");
        }
        else
        {
            if (link.LocalAddress is Address own)
            {
                Line($"{family}_address {AddressText.Format(link.Family, own)}");
            }
            string peer = AddressText.Format(link.Family, link.DestinationAddress);
            Line($"{family}_Destination_Address {peer}");
            Line($"Port {link.Port}");
        }
        Line($"Interface {link.InterfaceName}");
        if (link.SendBufferBytes != 0) { Line($"SndSocketBuffer {link.SendBufferBytes}"); }
        if (link.ReceiveBufferBytes != 0) { Line($"RcvSocketBuffer {link.ReceiveBufferBytes}"); }
        Line($"Checksum {Switch(link.Checksum)}");
        if (link.KeyFile is string keys) { Line($"KeyFile {keys}"); }
        else
        {
            Comment("KeyFile: not set, whoever reaches the link can read and change it");
            Line($"FrameChecksum {Switch(link.FrameChecksum)}");
        }
        if (link.Kind == LinkKind.Tcp) { Line($"ErrorQueueLength {sync.ErrorQueueLength}"); }
        End();
    }

    private void WriteHelpers(Options options)
    {
        Begin("Helper");
        Line($"Setup {Switch(options.IsHelperSetup)}");
        foreach (HelperOptions helper in options.Helpers)
        {
            string family = helper.IsIpv6 ? "inet6" : "inet";
            string protocol = helper.Protocol == L4Protocol.Tcp ? "tcp" : "udp";
            Begin($"Type {helper.Name} {family} {protocol}", helper.Position);
            Line($"QueueNum {helper.QueueNumber}");
            Line($"QueueLen {helper.QueueLength}");
            foreach (HelperPolicy policy in helper.Policies)
            {
                Begin($"Policy {policy.Name}");
                Line($"ExpectMax {policy.ExpectMax}");
                Line($"ExpectTimeout {policy.ExpectTimeoutSeconds}");
                End();
            }
            End();
        }
        End();
    }
}
