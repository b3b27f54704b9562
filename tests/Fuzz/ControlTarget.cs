using System.IO;
using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Tests.Fuzz;

/// <summary>The control socket itself, with its server on this thread: real clients.</summary>
/// <remarks>
/// The bytes are sent in pieces by clients of both kinds, which read the answer, or part of it, or
/// hang up before.
/// </remarks>
internal sealed class ControlTarget : FuzzTarget, ICommandHandler
{
    private const int TurnsMax = 64;

    private readonly string _folder = Directory.CreateTempSubdirectory("ct-fuzz-").FullName;
    private readonly EventLoop _loop;
    private readonly ControlServer _server;
    private readonly string _path;
    private readonly byte[] _address = new byte[SocketAddress.SizeMax];
    private readonly int _addressBytes;
    private readonly byte[] _answer = new byte[4096];
    private ControlSession? _held;
    private ulong _clients;
    private ulong _executed;

    internal ControlTarget()
    {
        Require(EventLoop.TryCreate(out EventLoop? loop) == Errno.None, "a loop");
        _loop = loop!;
        _path = Path.Combine(_folder, "ctl");
        string? wrong = ControlServer.TryOpen(
            _loop, this, _path, default, new ControlLimits(), out ControlServer? server);
        Require(wrong is null, $"{wrong}");
        _server = server!;
        SocketAddress.TryWriteUnix(_address, _path, out _addressBytes);
    }

    public CommandReply Execute(ControlRequest request, ControlSession session)
    {
        Require(Enum.IsDefined(request), "only known requests are done");
        _executed++;
        session.Text.Append("answer\n");
        if ((uint)request % 5 != 0) { return CommandReply.Done; }
        _held = session;
        return CommandReply.Held;
    }

    internal override uint Give(ReadOnlySpan<byte> input)
    {
        ulong draw = FuzzRandom.Of(input);
        input = input[..Math.Min(input.Length, 4096)];
        ControlCounters counters = _server.Counters;
        ulong before = _executed;
        bool isRead = Converse(input, draw);
        _clients++;
        ulong settled = _executed + counters.LocalReadFailed + counters.LocalUnknownRequest
            + counters.Refused;
        Require(settled == _clients, "every client is counted once");
        Require(_server.SessionCount == 0, "no client stays");
        return (isRead ? 1u : 0u) + (_executed != before ? 2u : 0u)
            + (input.Length >= 4 ? (uint)BitConverter.ToInt32(input) << 2 : 1u << 31);
    }

    internal override void Probe()
    {
        ulong before = _executed;
        Converse(BitConverter.GetBytes((uint)ControlRequest.Statistics), 0);
        _clients++;
        bool isWhole = _executed == before + 1 && _answer.AsSpan().StartsWith("answer\n"u8);
        Require(isWhole, "a good client is served");
    }

    public override void Dispose()
    {
        base.Dispose();
        _server.Dispose();
        _loop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // True if the client read an answer.
    private bool Converse(ReadOnlySpan<byte> bytes, ulong draw)
    {
        Require(Libc.Socket(
            Libc.FamilyUnix, Libc.SocketStream | Libc.SocketNonBlocking, 0, out int client)
            == Errno.None, "a socket");
        bool isOurs = draw % 2 == 1, hangsUp = draw % 8 == 6;
        if (isOurs) { _ = Libc.BindAutomatically(client); }
        Require(
            Libc.Connect(client, _address.AsSpan(0, _addressBytes)) == Errno.None, "connects");
        var random = new FuzzRandom(draw);
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, 1 + random.Below(8));
            if (Libc.Send(client, bytes[..count], out int sent) != Errno.None) { break; }
            bytes = bytes[sent..];
            if (random.OneIn(2)) { Turn(); }
        }
        int read = 0;
        if (!hangsUp)
        {
            Turn();
            Turn();
            _ = Libc.Receive(client, _answer, out read);
        }
        Libc.Close(client);
        for (int turns = 0; turns == 0 || _server.SessionCount != 0; turns++)
        {
            Require(turns < TurnsMax, "the session ends");
            Turn();
        }
        return read > 0;
    }

    private void Turn()
    {
        _loop.RunOnce(0);
        _held?.Complete();
        _held = null;
    }
}
