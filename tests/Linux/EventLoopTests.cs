using System.Threading;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

public sealed class EventLoopTests : IDisposable
{
    private readonly EventLoop _loop;
    private readonly Wakeup _first;
    private readonly Wakeup _second;

    public EventLoopTests()
    {
        Assert.Equal(Errno.None, EventLoop.TryCreate(out EventLoop? loop));
        Assert.Equal(Errno.None, Wakeup.TryCreate(out Wakeup? first));
        Assert.Equal(Errno.None, Wakeup.TryCreate(out Wakeup? second));
        _loop = loop!;
        _first = first!;
        _second = second!;
    }

    public void Dispose()
    {
        _loop.Dispose();
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public void A_turn_without_events_ends_when_its_time_is_over()
    {
        Handler handler = new();
        Assert.Equal(Errno.None, _loop.Add(_first.FileDescriptor, EventMask.In, handler));
        long start = Clock.MonotonicMicroseconds();
        Assert.Equal(0, _loop.RunOnce(20));
        Assert.True(Clock.MonotonicMicroseconds() - start >= 19_000);
        Assert.Equal(0, handler.Calls);
    }

    [Fact]
    public void A_ready_descriptor_is_told_until_it_was_read()
    {
        Handler handler = new();
        _loop.Add(_first.FileDescriptor, EventMask.In, handler);
        _first.Signal();
        Assert.Equal(1, _loop.RunOnce(0));
        Assert.Equal(1, _loop.RunOnce(0));
        _first.Clear();
        Assert.Equal(0, _loop.RunOnce(0));
        Assert.Equal(2, handler.Calls);
        Assert.Equal(_first.FileDescriptor, handler.Fd);
        Assert.Equal(EventMask.In, handler.Mask);
    }

    [Fact]
    public void Another_thread_can_wake_the_loop()
    {
        Handler handler = new();
        _loop.Add(_first.FileDescriptor, EventMask.In, handler);
        Thread thread = new(_first.Signal);
        thread.Start();
        Assert.Equal(1, _loop.RunOnce(5000));
        thread.Join();
    }

    [Fact]
    public void What_is_watched_for_can_change()
    {
        Handler handler = new();
        _loop.Add(_first.FileDescriptor, EventMask.In, handler);
        Assert.Equal(0, _loop.RunOnce(0));
        Assert.Equal(Errno.None, _loop.Watch(_first.FileDescriptor, EventMask.In | EventMask.Out));
        Assert.Equal(1, _loop.RunOnce(0));
        Assert.Equal(EventMask.Out, handler.Mask);
    }

    [Fact]
    public void A_handler_removed_within_the_turn_is_not_called_any_more()
    {
        Handler silent = new();
        Handler remover = new();
        // Whichever comes first removes the other.
        remover.Action = () => _loop.Remove(_second.FileDescriptor);
        silent.Action = () => _loop.Remove(_first.FileDescriptor);
        _loop.Add(_first.FileDescriptor, EventMask.In, remover);
        _loop.Add(_second.FileDescriptor, EventMask.In, silent);
        _first.Signal();
        _second.Signal();
        _loop.RunOnce(0);
        Assert.Equal(1, silent.Calls + remover.Calls);
        Assert.Equal(1, _loop.Count);
    }

    [Fact]
    public void A_descriptor_added_anew_within_the_turn_does_not_get_the_old_event()
    {
        Handler late = new();
        Handler replacer = new();
        Handler other = new();
        replacer.Action = () => Replace(_second.FileDescriptor, late);
        other.Action = () => Replace(_first.FileDescriptor, late);
        _loop.Add(_first.FileDescriptor, EventMask.In, replacer);
        _loop.Add(_second.FileDescriptor, EventMask.In, other);
        _first.Signal();
        _second.Signal();
        _loop.RunOnce(0);
        Assert.Equal(0, late.Calls);
        Assert.Equal(2, _loop.Count);
    }

    [Fact]
    public void Turns_allocate_nothing()
    {
        Handler handler = new();
        _loop.Add(_first.FileDescriptor, EventMask.In, handler);
        _first.Signal();
        _loop.RunOnce(0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            _loop.RunOnce(0);
            _loop.Watch(_first.FileDescriptor, EventMask.In);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private void Replace(int fd, Handler handler)
    {
        _loop.Remove(fd);
        _loop.Add(fd, EventMask.In, handler);
    }

    private sealed class Handler : IReadyHandler
    {
        internal int Calls { get; private set; }

        internal int Fd { get; private set; }

        internal EventMask Mask { get; private set; }

        internal Action? Action { get; set; }

        public void OnReady(int fd, EventMask mask)
        {
            Calls++;
            Fd = fd;
            Mask = mask;
            Action?.Invoke();
        }
    }
}
