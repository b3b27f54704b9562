using System.IO;
using System.Runtime.Versioning;
using Conntrackd.Control;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Control;

[SupportedOSPlatform("linux")]
public sealed class ControlSocketTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ct-control-").FullName;

    private string SocketPath => Path.Combine(_folder, "ctl");

    [Fact]
    public void Only_the_owner_may_connect()
    {
        Assert.Null(ControlSocket.TryListen(SocketPath, null, out int fd));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
        Libc.Close(fd);
    }

    [Fact]
    public void A_socket_left_by_a_crash_is_replaced()
    {
        Assert.Null(ControlSocket.TryListen(SocketPath, null, out int crashed));
        Libc.Close(crashed);
        Assert.True(File.Exists(SocketPath));
        Assert.Null(ControlSocket.TryListen(SocketPath, null, out int fd));
        Assert.Null(ControlSocket.TryConnect(SocketPath, out int client));
        Libc.Close(client);
        Libc.Close(fd);
    }

    [Fact]
    public void The_socket_of_a_living_daemon_stays()
    {
        Assert.Null(ControlSocket.TryListen(SocketPath, null, out int living));
        Assert.Equal(
            "another daemon answers there", ControlSocket.TryListen(SocketPath, null, out int fd));
        Assert.Equal(-1, fd);
        Assert.Null(ControlSocket.TryConnect(SocketPath, out int client));
        Libc.Close(client);
        Libc.Close(living);
    }

    [Fact]
    public void A_file_that_is_no_socket_stays()
    {
        File.WriteAllText(SocketPath, "precious");
        Assert.Contains("no socket", ControlSocket.TryListen(SocketPath, null, out _));
        Assert.Equal("precious", File.ReadAllText(SocketPath));
        Assert.NotNull(ControlSocket.TryListen(_folder, null, out _));
        Assert.True(Directory.Exists(_folder));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/no/such/folder/ctl")]
    public void A_path_that_cannot_be_used_is_told(string path)
    {
        Assert.NotNull(ControlSocket.TryListen(path, null, out int fd));
        Assert.Equal(-1, fd);
        Assert.NotNull(ControlSocket.TryConnect(path, out fd));
        Assert.Equal(-1, fd);
    }

    [Fact]
    public void A_path_of_more_than_107_bytes_is_told()
    {
        string longest = SocketPath.PadRight(SocketAddress.UnixPathMax, 'x');
        Assert.Null(ControlSocket.TryListen(longest, null, out int fd));
        Libc.Close(fd);
        Assert.Contains("expected 1-107", ControlSocket.TryListen(longest + "x", null, out _));
        Assert.Contains("expected 1-107", ControlSocket.TryConnect(longest + "x", out _));
    }

    [Fact]
    public void A_stopping_server_leaves_the_socket_of_its_successor()
    {
        using var bed = new ServerBed();
        File.Delete(bed.SocketPath);
        Assert.Null(ControlSocket.TryListen(bed.SocketPath, null, out int successor));
        bed.Server.Dispose();
        Assert.True(File.Exists(bed.SocketPath));
        Libc.Close(successor);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
