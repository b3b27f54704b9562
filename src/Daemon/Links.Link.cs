using Conntrackd.Config;
using Conntrackd.Conntrack;
using Conntrackd.Linux;
using Conntrackd.Transport;
using Conntrackd.Wire;

namespace Conntrackd.Daemon;

internal sealed partial class Links
{
    /// <summary>One link: its channel, if it is open, and what outlives the channel.</summary>
    internal sealed class Link(Links owner, int index, LinkOptions options) : IDatagramHandler
    {
        private const int ForeignSeconds = 60, ChangeSeconds = 5;

        private readonly LogThrottle[] _refused = Throttles();
        private LogThrottle _foreign = new(ForeignSeconds);
        private LogThrottle _connects = new(ChangeSeconds);
        private LogThrottle _disconnects = new(ChangeSeconds);
        private bool _reopened, _receiveCapTold, _sendCapTold;
        private ushort _sourcePort;

        internal LogThrottle Refusals = new(ForeignSeconds);

        internal int Index => index;

        internal LinkOptions Options => options;

        internal ChannelCounters Counters { get; } = new();

        /// <summary>Null while the interface or its address is missing.</summary>
        internal LinkChannel? Channel { get; private set; }

        /// <summary>When to try again, engine's time.</summary>
        internal long ReopenAt { get; set; }

        /// <summary>TCP: since when there is no connection to the peer, engine's time.</summary>
        internal long DisconnectedAt { get; private set; }

        internal Errno TryOpen(EventLoop loop, ReceiveCounters received, out string failedAt)
        {
            ChannelOptions wanted = Describe();
            LinkChannel? channel;
            Errno error;
            if (options.Kind == LinkKind.Tcp)
            {
                error = StreamChannel.TryOpen(
                    wanted, received, Counters, out StreamChannel? stream, out failedAt);
                channel = stream;
            }
            else
            {
                error = ChannelOpener.TryOpen(
                    wanted, Counters, out DatagramChannel? datagrams, out failedAt);
                channel = datagrams;
                _sourcePort = datagrams?.SourcePort ?? _sourcePort;
            }
            if (error != Errno.None) { return error; }
            Channel = channel;
            DisconnectedAt = owner.Now();
            TellBuffers();
            failedAt = "event loop";
            error = channel!.Register(loop, this);
            if (error != Errno.None) { Close(); }
            return error;
        }

        internal void Close()
        {
            _reopened = true;
            Channel?.Dispose();
            Channel = null;
        }

        public void OnDatagram(in PeerAddress from, ReadOnlySpan<byte> datagram) =>
            owner.OnDatagram(this, in from, datagram);

        public void OnForeign(in PeerAddress from)
        {
            if (!_foreign.TryTake(Clock.MonotonicMicroseconds(), out ulong more)) { return; }
            string source = Config.AddressText.Format(from.Family, from.Address);
            string peer = Config.AddressText.Format(options.Family, options.DestinationAddress);
            string version = options.Family == AddressFamily.Ipv6 ? "IPv6" : "IPv4";
            owner._log.Warning(
                $"device `{options.InterfaceName}': refused what came from {source}{And(more)}: "
                + $"{version}_Destination_Address is {peer}. If {source} is the peer, make it send "
                + $"from {peer} (on the peer: ip route ... src {peer}), or configure {source} as "
                + $"the peer's {version}_address there and {version}_Destination_Address here");
        }

        public void OnConnected(bool lostSome)
        {
            if (_connects.TryTake(Clock.MonotonicMicroseconds(), out ulong more))
            {
                owner._log.Notice(
                    $"device `{options.InterfaceName}': connected to the peer{And(more)}");
            }
            TellBuffers();
            owner._sealed?.Hold(owner.Now());
            // Without acknowledgements nobody else would send again what is gone.
            if ((lostSome || _reopened) && !owner._reliable) { owner._engine.RequestBulk(); }
            _reopened = false;
        }

        public void OnDisconnected(Errno error)
        {
            DisconnectedAt = owner.Now();
            if (!_disconnects.TryTake(Clock.MonotonicMicroseconds(), out ulong more)) { return; }
            string why = error == Errno.None ? "closed by the peer" : error.Describe();
            owner._log.Warning($"device `{options.InterfaceName}': connection to the peer lost "
                + $"({why}){And(more)}, connecting again");
        }

        /// <summary>Says why frames are refused, at most once a minute for each reason.</summary>
        internal void OnRefused(in PeerAddress from, FrameVerdict verdict, string cause)
        {
            long now = Clock.MonotonicMicroseconds();
            if (!_refused[(int)verdict].TryTake(now, out ulong more)) { return; }
            string source = Config.AddressText.Format(from.Family, from.Address);
            owner._log.Warning($"device `{options.InterfaceName}': refused what came from "
                + $"{source}{And(more)}: {cause}");
        }

        // A small buffer loses datagrams in bursts; the peer's resends then look like a bad link.
        private void TellBuffers()
        {
            TellBuffer(
                "RcvSocketBuffer", options.ReceiveBufferBytes, Counters.ReceiveBufferBytes,
                "net.core.rmem_max", ref _receiveCapTold);
            TellBuffer(
                "SndSocketBuffer", options.SendBufferBytes, Counters.SendBufferBytes,
                "net.core.wmem_max", ref _sendCapTold);
        }

        private void TellBuffer(string name, int wanted, int given, string limit, ref bool isTold)
        {
            if (given == 0 || given >= wanted || isTold) { return; }
            isTold = true;
            owner._log.Warning($"device `{options.InterfaceName}': {name} is {given} bytes, not "
                + $"{wanted}: the kernel gives no more ({limit})");
        }

        private static LogThrottle[] Throttles()
        {
            var throttles = new LogThrottle[(int)FrameVerdict.Crowded + 1];
            Array.Fill(throttles, new LogThrottle(ForeignSeconds));
            return throttles;
        }

        private static string And(ulong more) => more == 0 ? "" : $" ({more} times more before)";

        private ChannelOptions Describe()
        {
            bool multicast = options.Kind == LinkKind.Multicast;
            return new()
            {
                Kind = multicast ? ChannelKind.Multicast
                    : options.Kind == LinkKind.Tcp ? ChannelKind.Stream : ChannelKind.Unicast,
                Family = options.Family,
                Local = (multicast ? options.InterfaceAddress : options.LocalAddress) ?? default,
                Target = multicast ? options.GroupAddress : options.DestinationAddress,
                Port = options.Port,
                SourcePort = _sourcePort,
                Interface = options.InterfaceName,
                SendBufferBytes = options.SendBufferBytes,
                ReceiveBufferBytes = options.ReceiveBufferBytes,
                Checksum = options.Checksum,
            };
        }
    }
}
