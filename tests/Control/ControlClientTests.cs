using System.IO;
using System.Net.Sockets;
using System.Text;
using System.Threading.Tasks;
using Conntrackd.Control;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Control;

public sealed class ControlClientTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ct-control-").FullName;

    private string SocketPath => Path.Combine(_folder, "ctl");

    [Fact]
    public void Without_a_daemon_the_client_says_so_and_exits_with_1()
    {
        (int status, string output, string error) = Run(ControlRequest.Statistics);
        Assert.Equal(1, status);
        Assert.Equal("", output);
        Assert.Equal(
            "can't connect: is conntrackd running? appropriate permissions?\n"
            + $"{SocketPath}: No such file or directory\n",
            error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("cache internal:\ncurrent active connections:\t           0\n")]
    public async Task The_original_daemon_is_served_as_by_its_own_client(string answer)
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, 0);
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen();
        Task<byte[]> daemon = Task.Run(() =>
        {
            using Socket client = listener.Accept();
            byte[] request = new byte[16];
            int count = client.Receive(request);
            client.Send(Encoding.ASCII.GetBytes(answer));
            return request[..count];
        });
        Assert.Equal((0, answer, ""), Run(ControlRequest.StatisticsCache));
        Assert.Equal(BitConverter.GetBytes(29), await daemon);
    }

    [Fact]
    public void An_output_that_is_full_is_a_failure()
    {
        using var bed = new ServerBed();
        Assert.Equal(
            Errno.None, Libc.Open("/dev/full", Libc.OpenWriteOnly, 0, out int full));
        string name = Path.Combine(_folder, "err");
        const int Flags = Libc.OpenWriteOnly | Libc.OpenCreate;
        Assert.Equal(Errno.None, Libc.Open(name, Flags, 0x180, out int error));
        int status = bed.RunUntil(Task.Run(
            () => ControlClient.Run(bed.SocketPath, ControlRequest.Statistics, full, error)));
        Libc.Close(full);
        Libc.Close(error);
        Assert.Equal(1, status);
        Assert.Equal(
            "cannot write the answer: No space left on device\n", File.ReadAllText(name));
    }

    [Fact]
    public void An_output_that_nobody_reads_any_more_ends_the_client_without_a_word()
    {
        using var bed = new ServerBed();
        Assert.Equal(Errno.None, Libc.Pipe(out int readEnd, out int writeEnd));
        Libc.Close(readEnd);
        string name = Path.Combine(_folder, "err");
        const int Flags = Libc.OpenWriteOnly | Libc.OpenCreate;
        Assert.Equal(Errno.None, Libc.Open(name, Flags, 0x180, out int error));
        int status = bed.RunUntil(Task.Run(
            () => ControlClient.Run(bed.SocketPath, ControlRequest.Statistics, writeEnd, error)));
        Libc.Close(writeEnd);
        Libc.Close(error);
        Assert.Equal(1, status);
        Assert.Equal("", File.ReadAllText(name));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private (int Status, string Output, string Error) Run(ControlRequest request) =>
        ServerBed.RunClient(SocketPath, request, Path.Combine(_folder, "client"));
}
