using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>One Type block of section Helper: a connection tracking helper in user space.</summary>
/// <param name="Name">A name of <see cref="KnownHelpers"/>.</param>
/// <param name="IsIpv6">inet6, else inet.</param>
/// <param name="Protocol">TCP or UDP.</param>
/// <param name="QueueNumber">The NFQUEUE.</param>
/// <param name="QueueLength">In packets; 0: as the kernel has it (1024).</param>
/// <param name="Policies">Empty: the helper's own limits.</param>
/// <param name="Position">Of Type.</param>
internal sealed record HelperOptions(
    string Name,
    bool IsIpv6,
    byte Protocol,
    ushort QueueNumber,
    uint QueueLength,
    IReadOnlyList<HelperPolicy> Policies,
    SourcePosition Position);

/// <summary>Limits of the expectations of a helper; an omitted number is 0.</summary>
/// <param name="Name">As the helper calls the policy, at most 16 bytes.</param>
/// <param name="ExpectMax">Expectations of one master flow.</param>
/// <param name="ExpectTimeoutSeconds">Life of an expectation.</param>
internal sealed record HelperPolicy(string Name, uint ExpectMax, uint ExpectTimeoutSeconds);
