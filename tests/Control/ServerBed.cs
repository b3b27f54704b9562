using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading.Tasks;
using Conntrackd.Conntrack;
using Conntrackd.Control;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Control;

/// <summary>A server with its loop on the test's thread, and clients of both kinds.</summary>
internal sealed class ServerBed : ICommandHandler, IDisposable
{
    private const int PatienceMilliseconds = 20_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("ct-control-").FullName;
    private int _files;

    internal ServerBed(ControlLimits? limits = null)
    {
        Assert.Equal(Errno.None, EventLoop.TryCreate(out EventLoop? loop));
        Loop = loop!;
        SocketPath = Path.Combine(_folder, "ctl");
        Assert.Null(ControlServer.TryOpen(
            Loop, this, SocketPath, default, limits ?? new ControlLimits(),
            out ControlServer? server));
        Server = server!;
    }

    internal EventLoop Loop { get; }

    internal ControlServer Server { get; }

    internal string SocketPath { get; }

    internal List<ControlRequest> Requests { get; } = [];

    /// <summary>What the daemon does; at first it answers with the request's name.</summary>
    internal Func<ControlRequest, ControlSession, CommandReply> Answer { get; set; } =
        (request, session) =>
        {
            session.Text.Append($"{request}\n");
            return CommandReply.Done;
        };

    public CommandReply Execute(ControlRequest request, ControlSession session)
    {
        Requests.Add(request);
        return Answer(request, session);
    }

    /// <summary>Turns the loop until <paramref name="done"/> says so.</summary>
    internal void RunUntil(Func<bool> done)
    {
        var watch = Stopwatch.StartNew();
        while (!done())
        {
            Assert.True(watch.ElapsedMilliseconds < PatienceMilliseconds, "took too long");
            Loop.RunOnce(5);
            long now = Clock.MonotonicMicroseconds();
            if (now >= Server.NextDeadlineMicroseconds) { Server.OnDeadline(now); }
        }
    }

    /// <summary>Turns the loop until <paramref name="work"/> has ended.</summary>
    internal T RunUntil<T>(Task<T> work)
    {
        RunUntil(() => work.IsCompleted);
        return work.Result;
    }

    /// <summary>Starts our client: exit status, standard output, standard error.</summary>
    internal Task<(int Status, string Output, string Error)> Start(ControlRequest request)
    {
        string name = Path.Combine(_folder, $"client{_files++}");
        return Task.Run(() => RunClient(SocketPath, request, name));
    }

    internal (int Status, string Output, string Error) Ask(ControlRequest request) =>
        RunUntil(Start(request));

    internal static (int Status, string Output, string Error) RunClient(
        string socketPath, ControlRequest request, string name)
    {
        const int Flags = Libc.OpenWriteOnly | Libc.OpenCreate;
        Assert.Equal(Errno.None, Libc.Open(name + ".out", Flags, 0x180, out int output));
        Assert.Equal(Errno.None, Libc.Open(name + ".err", Flags, 0x180, out int error));
        int status = ControlClient.Run(socketPath, request, output, error);
        Libc.Close(output);
        Libc.Close(error);
        return (status, File.ReadAllText(name + ".out"), File.ReadAllText(name + ".err"));
    }

    /// <summary>Connects as the original's client does: a socket without a name.</summary>
    internal Socket Connect()
    {
        var socket = new Socket(System.Net.Sockets.AddressFamily.Unix, SocketType.Stream, 0);
        socket.Connect(new UnixDomainSocketEndPoint(SocketPath));
        return socket;
    }

    /// <summary>Sends a request as the original's client does and reads to the end.</summary>
    internal string AskBare(uint request)
    {
        using Socket socket = Connect();
        socket.Send(BitConverter.GetBytes(request));
        return RunUntil(Task.Run(() => ReadToEnd(socket)));
    }

    internal static string ReadToEnd(Socket socket)
    {
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    public void Dispose()
    {
        Server.Dispose();
        Loop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A dump of numbered lines.</summary>
internal sealed class NumberedLines(int count) : IDumpSource
{
    private int _next;
    private volatile bool _disposed;

    public string? Failure { get; init; }

    internal bool IsDisposed => _disposed;

    internal static string Expected(int count)
    {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++) { text.Append($"line {i}\n"); }
        return text.ToString();
    }

    public bool NextBlock(TextBuffer text)
    {
        while (_next < count && text.Length < DumpReader.BlockBytes)
        {
            text.Append("line "u8);
            text.AppendDecimal((ulong)_next++);
            text.Append((byte)'\n');
        }
        return _next < count;
    }

    public void Dispose() => _disposed = true;
}
