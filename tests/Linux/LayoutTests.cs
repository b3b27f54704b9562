using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

/// <remarks>Values printed by a C program with sizeof and offsetof, x86-64 and arm64.</remarks>
public sealed class LayoutTests
{
    [Fact]
    public void A_batched_message_is_struct_mmsghdr()
    {
        Assert.Equal(64, Unsafe.SizeOf<BatchedMessage>());
        Assert.Equal(0, OffsetOf<BatchedMessage>("Name"));
        Assert.Equal(8, OffsetOf<BatchedMessage>("NameBytes"));
        Assert.Equal(16, OffsetOf<BatchedMessage>("Pieces"));
        Assert.Equal(24, OffsetOf<BatchedMessage>("PieceCount"));
        Assert.Equal(32, OffsetOf<BatchedMessage>("Control"));
        Assert.Equal(40, OffsetOf<BatchedMessage>("ControlBytes"));
        Assert.Equal(48, OffsetOf<BatchedMessage>("Flags"));
        Assert.Equal(56, OffsetOf<BatchedMessage>("Bytes"));
    }

    [Fact]
    public void A_memory_piece_is_struct_iovec()
    {
        Assert.Equal(16, Unsafe.SizeOf<MemoryPiece>());
        Assert.Equal(8, OffsetOf<MemoryPiece>("Bytes"));
    }

    [Fact]
    public void A_poll_descriptor_is_struct_pollfd()
    {
        Assert.Equal(8, Unsafe.SizeOf<PollDescriptor>());
        Assert.Equal(4, OffsetOf<PollDescriptor>("Events"));
        Assert.Equal(6, OffsetOf<PollDescriptor>("Returned"));
    }

    [Fact]
    public void A_signal_set_is_sigset_t() => Assert.Equal(128, Unsafe.SizeOf<SignalSet>());

    [Fact]
    public void An_epoll_event_is_packed_on_x86_only()
    {
        bool packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        Assert.Equal(packed ? 12 : 16, EpollEvent.Size);
        Assert.Equal(packed ? 4 : 8, EpollEvent.DataAt);
    }

    private static int OffsetOf<T>(string field) => (int)Marshal.OffsetOf<T>(field);
}
