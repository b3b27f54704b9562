using System.Collections.Generic;
using System.Text;
using Conntrackd.Conntrack;

namespace Conntrackd.Config;

/// <summary>Multicast, UDP and TCP blocks.</summary>
internal sealed partial class ConfigParser
{
    private readonly List<LinkOptions> _links = [];
    private LinkOptions _link = new(default, default);
    private AddressPrefix? _linkLocal;          // last given; in Multicast the group
    private AddressPrefix? _linkDestination;
    private AddressPrefix? _linkInterface;
    private int _defaultLink = -1;

    private bool Set(LinkOptions link)
    {
        _link = link;
        return true;
    }

    private bool ReadLink(LinkKind kind)
    {
        Token at = _directive;
        string name = NameOf(kind);
        _failed.Clear();
        _link = new LinkOptions(kind, _source.PositionOf(at));
        (_linkLocal, _linkDestination, _linkInterface) = (null, null, null);
        if (TryWord("Default")) { _defaultLink = _links.Count; }
        Block block = kind switch
        {
            LinkKind.Multicast => Block.Multicast,
            LinkKind.Udp => Block.Udp,
            _ => Block.Tcp,
        };
        bool isRead = Braces(block, name);

        if (isRead && !IsLeaving) { FinishLink(at, name); }
        _links.Add(_link);
        return isRead;
    }

    private static string NameOf(LinkKind kind) => kind switch
    {
        LinkKind.Multicast => "Multicast",
        LinkKind.Udp => "UDP",
        _ => "TCP",
    };

    private void FinishLink(in Token at, string name)
    {
        if (_links.Count == SyncOptions.LinksMax)
        {
            Error(at, $"too many dedicated links, at most {SyncOptions.LinksMax}");
            return;
        }
        if (_link.Kind == LinkKind.Multicast)
        {
            FinishMulticast(at);
        }
        else
        {
            FinishUnicast(at, name);
        }
        if (_link.InterfaceName.Length == 0) { Missing(at, name, "Interface"); }
        FinishFraming(at, name);
    }

    // One open link would be a way around the sealed ones.
    private void FinishFraming(in Token at, string name)
    {
        if (_link is { KeyFile: not null, FrameChecksum: true })
        {
            Warning(at, $"the '{name}' link has a 'KeyFile', which finds every change; "
                + "ignoring 'FrameChecksum'");
            _link = _link with { FrameChecksum = false };
        }
        if (_links.Count == 0) { return; }
        LinkOptions first = _links[0];
        if (first.KeyFile != _link.KeyFile || first.FrameChecksum != _link.FrameChecksum)
        {
            Error(at, $"the '{name}' link and that of line {first.Position.Line} differ in "
                + "'KeyFile' or 'FrameChecksum', all links must have the same");
        }
    }

    private void FinishMulticast(in Token at)
    {
        if (_link.Port == 0) { Missing(at, "Multicast", "Group"); }
        if (_linkLocal is not AddressPrefix group)
        {
            Missing(at, "Multicast", "IPv4_address' or 'IPv6_address");
            return;
        }
        if (!IsMulticast(group))
        {
            string text = AddressText.Format(group.Family, group.Address);
            Error(at, $"'{text}' of the 'Multicast' link is not a multicast address "
                + "(224.0.0.0/4, ff00::/8)");
        }
        if (_linkInterface is not null && group.Family != AddressFamily.Ipv4)
        {
            Error(at, "the 'Multicast' link has an IPv6 group but an IPv4_interface");
        }
        _link = _link with
        {
            Family = group.Family,
            GroupAddress = group.Address,
            InterfaceAddress = _linkInterface?.Address,
        };
    }

    private void FinishUnicast(in Token at, string name)
    {
        if (_link.Port == 0) { Missing(at, name, "Port"); }
        if (_linkDestination is not AddressPrefix peer)
        {
            string wanted = _linkLocal?.Family == AddressFamily.Ipv6
                ? "IPv6_Destination_Address"
                : "IPv4_Destination_Address";
            Missing(at, name, _linkLocal is null
                ? "IPv4_Destination_Address' or 'IPv6_Destination_Address"
                : wanted);
            return;
        }
        if (_linkLocal is AddressPrefix local && local.Family != peer.Family)
        {
            Error(at, $"the '{name}' link mixes IPv4 and IPv6: local address "
                + $"'{AddressText.Format(local.Family, local.Address)}', destination "
                + $"'{AddressText.Format(peer.Family, peer.Address)}'");
        }
        if (_linkLocal == peer)
        {
            Warning(at, $"the destination of the '{name}' link is its own address: this node "
                + "talks to itself");
        }
        _link = _link with
        {
            Family = peer.Family,
            LocalAddress = _linkLocal?.Address,
            DestinationAddress = peer.Address,
        };
    }

    // What was given and is wrong is no news.
    private void Missing(in Token at, string name, string directive)
    {
        foreach (string failed in _failed)
        {
            if (directive.Contains(failed, StringComparison.Ordinal)) { return; }
        }
        Error(at, $"the '{name}' link has no valid '{directive}'");
    }

    private static bool IsMulticast(AddressPrefix address) =>
        address.Family == AddressFamily.Ipv4
            ? address.Address.Low >> 28 == 0xe
            : address.Address.High >> 56 == 0xff;

    private bool ReadLinkAddress(AddressFamily family) =>
        ReadLinkPrefix(family, ref _linkLocal);

    private bool ReadDestination(AddressFamily family) =>
        ReadLinkPrefix(family, ref _linkDestination);

    private bool ReadLinkInterfaceAddress() =>
        ReadLinkPrefix(AddressFamily.Ipv4, ref _linkInterface);

    /// <summary>The last valid address counts; one that is not valid is a warning.</summary>
    private bool ReadLinkPrefix(AddressFamily family, ref AddressPrefix? target)
    {
        if (!Prefix(family, isHost: true, out AddressPrefix? given)) { return false; }
        target = given ?? target;
        return true;
    }

    private bool ReadIgnoredInterfaceAddress()
    {
        if (_token.Kind is not (TokenKind.Ipv4 or TokenKind.Ipv6) && !IsHexWord(_token))
        {
            return Expected("an IPv6 address");
        }
        Warning(_directive, "'IPv6_interface' is not required, ignoring");
        Token at = _token;
        Advance();
        return !ReportTail(at, "IPv6");
    }

    private bool ReadPort() =>
        Short(out ushort port, "a port", 1) && Set(_link with { Port = port });

    private bool ReadInterface()
    {
        if (!Name(out string name, out Token at, "an interface name")) { return false; }
        if (Encoding.UTF8.GetByteCount(name) > LinkOptions.InterfaceNameLengthMax)
        {
            Error(at, $"interface name {Found(at)} has {name.Length} bytes, at most "
                + $"{LinkOptions.InterfaceNameLengthMax} fit");
            return true;
        }
        return Set(_link with { InterfaceName = name });
    }
}
