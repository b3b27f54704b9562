using System.Collections.Generic;

namespace Conntrackd.Linux;

/// <summary>The numbers of the system calls that the daemon may make, for each machine.</summary>
/// <remarks>
/// Only calls whose arguments do not matter stand in the list; <see cref="SystemCallFilter"/> looks
/// closer at the rest. Which ones are needed was seen by tracing the daemon through the integration
/// tests, and those tests run with a filter that kills. Source: linux asm/unistd_64.h and
/// asm-generic/unistd.h.
/// </remarks>
internal static class SystemCallTable
{
    internal const uint Clone3 = 435;   // __NR_clone3, the same everywhere

    // On x86-64, on arm64; -1 where there is no such call.
    private static readonly Number[] s_plain =
    [
        // The turn of the loop, first because older kernels look from the top.
        new(299, 243),      // recvmmsg
        new(307, 269),      // sendmmsg
        new(232, -1),       // epoll_wait
        new(281, 22),       // epoll_pwait
        new(441, 441),      // epoll_pwait2
        new(45, 207),       // recvfrom
        new(44, 206),       // sendto
        new(228, 113),      // clock_gettime
        new(230, 115),      // clock_nanosleep
        new(35, 101),       // nanosleep
        new(202, 98),       // futex
        new(0, 63),         // read
        new(1, 64),         // write
        // Sockets.
        new(43, 202),       // accept
        new(288, 242),      // accept4
        new(49, 200),       // bind
        new(42, 203),       // connect
        new(52, 205),       // getpeername
        new(51, 204),       // getsockname
        new(55, 209),       // getsockopt
        new(50, 201),       // listen
        new(47, 212),       // recvmsg
        new(46, 211),       // sendmsg
        new(54, 208),       // setsockopt
        new(48, 210),       // shutdown
        new(53, 199),       // socketpair
        // Waiting.
        new(291, 20),       // epoll_create1
        new(233, 21),       // epoll_ctl
        new(290, 19),       // eventfd2
        new(7, -1),         // poll
        new(271, 73),       // ppoll
        new(23, -1),        // select
        new(270, 72),       // pselect6
        new(289, 74),       // signalfd4
        new(283, 85),       // timerfd_create
        new(286, 86),       // timerfd_settime
        new(287, 87),       // timerfd_gettime
        // Files: logs, configuration, lock, socket, FIFO, track file.
        new(21, -1),        // access
        new(80, 49),        // chdir
        new(90, -1),        // chmod
        new(91, 52),        // fchmod
        new(268, 53),       // fchmodat
        new(92, -1),        // chown
        new(260, 54),       // fchownat
        new(3, 57),         // close
        new(436, 436),      // close_range
        new(32, 23),        // dup
        new(33, -1),        // dup2
        new(292, 24),       // dup3
        new(269, 48),       // faccessat
        new(439, 439),      // faccessat2
        new(72, 25),        // fcntl
        new(75, 83),        // fdatasync
        new(73, 32),        // flock
        new(5, 80),         // fstat
        new(74, 82),        // fsync
        new(77, 46),        // ftruncate
        new(79, 17),        // getcwd
        new(217, 61),       // getdents64
        new(16, 29),        // ioctl
        new(8, 62),         // lseek
        new(6, -1),         // lstat
        new(83, -1),        // mkdir
        new(258, 34),       // mkdirat
        new(133, -1),       // mknod
        new(259, 33),       // mknodat
        new(262, 79),       // newfstatat
        new(2, -1),         // open
        new(257, 56),       // openat
        new(293, 59),       // pipe2
        new(17, 67),        // pread64
        new(18, 68),        // pwrite64
        new(89, -1),        // readlink
        new(267, 78),       // readlinkat
        new(19, 65),        // readv
        new(82, -1),        // rename
        new(264, 38),       // renameat
        new(316, 276),      // renameat2
        new(4, -1),         // stat
        new(137, 43),       // statfs
        new(138, 44),       // fstatfs
        new(332, 291),      // statx
        new(95, 166),       // umask
        new(87, -1),        // unlink
        new(263, 35),       // unlinkat
        new(20, 66),        // writev
        // Memory.
        new(12, 214),       // brk
        new(239, 236),      // get_mempolicy
        new(28, 233),       // madvise
        new(324, 283),      // membarrier
        new(27, 232),       // mincore
        new(149, 228),      // mlock
        new(325, 284),      // mlock2
        new(25, 216),       // mremap
        new(150, 229),      // munlock
        new(11, 215),       // munmap
        // Threads, signals, limits, time.
        new(158, -1),       // arch_prctl
        new(229, 114),      // clock_getres
        new(60, 93),        // exit
        new(231, 94),       // exit_group
        new(309, 168),      // getcpu
        new(108, 177),      // getegid
        new(107, 175),      // geteuid
        new(104, 176),      // getgid
        new(39, 172),       // getpid
        new(110, 173),      // getppid
        new(140, 141),      // getpriority
        new(318, 278),      // getrandom
        new(98, 165),       // getrusage
        new(186, 178),      // gettid
        new(96, 169),       // gettimeofday
        new(102, 174),      // getuid
        new(62, 129),       // kill
        new(157, 167),      // prctl
        new(302, 261),      // prlimit64
        new(219, 128),      // restart_syscall
        new(334, 293),      // rseq
        new(13, 134),       // rt_sigaction
        new(127, 136),      // rt_sigpending
        new(14, 135),       // rt_sigprocmask
        new(15, 139),       // rt_sigreturn
        new(128, 137),      // rt_sigtimedwait
        new(204, 123),      // sched_getaffinity
        new(143, 121),      // sched_getparam
        new(145, 120),      // sched_getscheduler
        new(142, 118),      // sched_setparam
        new(144, 119),      // sched_setscheduler
        new(24, 124),       // sched_yield
        new(273, 99),       // set_robust_list
        new(218, 96),       // set_tid_address
        new(141, 140),      // setpriority
        new(131, 132),      // sigaltstack
        new(99, 179),       // sysinfo
        new(234, 131),      // tgkill
        new(201, -1),       // time
        new(100, 153),      // times
        new(63, 160),       // uname
        new(61, 260),       // wait4
        new(125, 90),       // capget
    ];

    /// <summary>Those that are allowed with any argument.</summary>
    internal static List<uint> Plain(bool isArm64)
    {
        List<uint> numbers = new(s_plain.Length);
        foreach (Number number in s_plain)
        {
            int value = isArm64 ? number.Arm64 : number.X64;
            if (value >= 0) { numbers.Add((uint)value); }
        }
        return numbers;
    }

    internal static uint Socket(bool isArm64) => isArm64 ? 198u : 41u;

    internal static uint Clone(bool isArm64) => isArm64 ? 220u : 56u;

    /// <summary>mmap and mprotect; both have the protection as third argument.</summary>
    internal static uint[] Mapping(bool isArm64) => isArm64 ? [222, 226] : [9, 10];

    /// <summary>One call on both machines; -1: it is not there.</summary>
    private readonly record struct Number(int X64, int Arm64);
}
