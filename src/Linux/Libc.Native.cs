using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

// Every call below passes blittable arguments only; the compiler then rejects anything else.
[assembly: DisableRuntimeMarshalling]

namespace Conntrackd.Linux;

internal static unsafe partial class Libc
{
    /// <summary>
    /// The declarations, with the names and the order of arguments of the manual pages.
    /// </summary>
    private static partial class Native
    {
        private const string Library = "libc";

        [LibraryImport(Library), SuppressGCTransition]
        internal static partial int* __errno_location();

        [LibraryImport(Library)]
        internal static partial int open(byte* path, int flags, int mode);

        [LibraryImport(Library)]
        internal static partial int close(int fd);

        [LibraryImport(Library)]
        internal static partial nint read(int fd, byte* target, nuint count);

        [LibraryImport(Library)]
        internal static partial nint write(int fd, byte* source, nuint count);

        [LibraryImport(Library)]
        internal static partial int ftruncate(int fd, long length);

        [LibraryImport(Library)]
        internal static partial int unlink(byte* path);

        [LibraryImport(Library)]
        internal static partial int chmod(byte* path, uint mode);

        [LibraryImport(Library)]
        internal static partial int chdir(byte* path);

        [LibraryImport(Library)]
        internal static partial uint umask(uint mask);

        [LibraryImport(Library)]
        internal static partial int dup3(int source, int target, int flags);

        [LibraryImport(Library)]
        internal static partial int flock(int fd, int operation);

        [LibraryImport(Library)]
        internal static partial int statx(int fd, byte* path, int flags, uint mask, byte* status);

        [LibraryImport(Library)]
        internal static partial nint readlink(byte* path, byte* target, nuint count);

        [LibraryImport(Library)]
        internal static partial int pipe2(int* ends, int flags);

        [LibraryImport(Library)]
        internal static partial int poll(PollDescriptor* descriptors, ulong count, int timeout);

        [LibraryImport(Library)]
        internal static partial int ioctl(int fd, ulong request, byte* argument);

        [LibraryImport(Library)]
        internal static partial byte* mmap(
            byte* address, nuint length, int protection, int flags, int fd, long offset);

        [LibraryImport(Library)]
        internal static partial int munmap(byte* address, nuint length);

        [LibraryImport(Library)]
        internal static partial int epoll_create1(int flags);

        [LibraryImport(Library)]
        internal static partial int epoll_ctl(int epoll, int operation, int fd, byte* change);

        [LibraryImport(Library)]
        internal static partial int epoll_wait(int epoll, byte* events, int max, int timeout);

        [LibraryImport(Library)]
        internal static partial int nanosleep(long* wanted, long* remaining);

        [LibraryImport(Library)]
        internal static partial int eventfd(uint initial, int flags);

        [LibraryImport(Library)]
        internal static partial int signalfd(int fd, ulong* mask, int flags);

        [LibraryImport(Library)]
        internal static partial int pthread_sigmask(int how, ulong* set, ulong* old);

        [LibraryImport(Library)]
        internal static partial nint signal(int number, nint handler);

        [LibraryImport(Library)]
        internal static partial int kill(int pid, int number);

        [LibraryImport(Library)]
        internal static partial int getpid();

        [LibraryImport(Library)]
        internal static partial uint geteuid();

        [LibraryImport(Library)]
        internal static partial int waitpid(int pid, int* status, int options);

        [LibraryImport(Library)]
        internal static partial int execve(byte* path, byte** arguments, byte** environment);

        [LibraryImport(Library)]
        internal static partial int unshare(int flags);

        [LibraryImport(Library)]
        internal static partial nint syscall(
            nint number, nint first, nint second, nint third, nint fourth);

        [LibraryImport(Library)]
        internal static partial void _exit(int code);

        [LibraryImport(Library)]
        internal static partial int sched_setscheduler(int pid, int policy, int* parameters);

        [LibraryImport(Library)]
        internal static partial int setpriority(int which, uint who, int priority);

        [LibraryImport(Library)]
        internal static partial int clock_gettime(int clock, long* time);

        [LibraryImport(Library)]
        internal static partial int* localtime_r(long* time, int* parts);

        [LibraryImport(Library)]
        internal static partial int posix_spawn(
            int* pid, byte* path, byte* actions, byte* attributes, byte** arguments,
            byte** environment);

        [LibraryImport(Library)]
        internal static partial int posix_spawn_file_actions_init(byte* actions);

        [LibraryImport(Library)]
        internal static partial int posix_spawn_file_actions_destroy(byte* actions);

        [LibraryImport(Library)]
        internal static partial int posix_spawn_file_actions_adddup2(
            byte* actions, int source, int target);

        [LibraryImport(Library)]
        internal static partial int posix_spawn_file_actions_addopen(
            byte* actions, int fd, byte* path, int flags, uint mode);

        [LibraryImport(Library)]
        internal static partial int posix_spawnattr_init(byte* attributes);

        [LibraryImport(Library)]
        internal static partial int posix_spawnattr_destroy(byte* attributes);

        [LibraryImport(Library)]
        internal static partial int posix_spawnattr_setflags(byte* attributes, short flags);

        [LibraryImport(Library)]
        internal static partial int posix_spawnattr_setsigmask(byte* attributes, ulong* mask);

        [LibraryImport(Library)]
        internal static partial int posix_spawnattr_setsigdefault(byte* attributes, ulong* mask);

        [LibraryImport(Library)]
        internal static partial int socket(int family, int type, int protocol);

        [LibraryImport(Library)]
        internal static partial int bind(int fd, byte* address, uint bytes);

        [LibraryImport(Library)]
        internal static partial int connect(int fd, byte* address, uint bytes);

        [LibraryImport(Library)]
        internal static partial int listen(int fd, int backlog);

        [LibraryImport(Library)]
        internal static partial int accept4(int fd, byte* address, uint* bytes, int flags);

        [LibraryImport(Library)]
        internal static partial int getsockname(int fd, byte* address, uint* bytes);

        [LibraryImport(Library)]
        internal static partial int setsockopt(
            int fd, int level, int option, byte* value, uint bytes);

        [LibraryImport(Library)]
        internal static partial int getsockopt(
            int fd, int level, int option, byte* value, uint* bytes);

        [LibraryImport(Library)]
        internal static partial nint send(int fd, byte* source, nuint count, int flags);

        [LibraryImport(Library)]
        internal static partial nint sendto(
            int fd, byte* source, nuint count, int flags, byte* address, uint bytes);

        [LibraryImport(Library)]
        internal static partial nint recv(int fd, byte* target, nuint count, int flags);

        [LibraryImport(Library)]
        internal static partial nint recvfrom(
            int fd, byte* target, nuint count, int flags, byte* address, uint* bytes);

        [LibraryImport(Library)]
        internal static partial int recvmmsg(
            int fd, BatchedMessage* messages, uint count, int flags, long* timeout);

        [LibraryImport(Library)]
        internal static partial int sendmmsg(
            int fd, BatchedMessage* messages, uint count, int flags);
    }
}

/// <summary>struct pollfd, poll.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollDescriptor
{
    internal int Fd;
    internal short Events;
    internal short Returned;
}
