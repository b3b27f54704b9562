namespace Conntrackd.Config;

/// <summary>What happens to a system call that is not on the list.</summary>
internal enum SystemCallPolicy : byte
{
    Off,                        // nothing is refused
    Refuse,                     // it fails, and the kernel logs it
    Kill,                       // the daemon ends
}

/// <summary>Block Sandbox of section General: what the daemon gives up after its start.</summary>
/// <remarks>
/// All of it by default, unless VRRP runs a Command, which would inherit it: then none.
/// </remarks>
internal sealed record SandboxOptions
{
    internal static readonly SandboxOptions None = new()
    {
        Capabilities = false,
        NoNewPrivileges = false,
        Files = false,
        SystemCalls = SystemCallPolicy.Off,
    };

    /// <summary>Keep only the capabilities that are needed.</summary>
    internal bool Capabilities { get; init; } = true;

    /// <summary>Gain nothing by executing a file; implied by the two below.</summary>
    internal bool NoNewPrivileges { get; init; } = true;

    /// <summary>Reach only the files that the configuration names (Landlock).</summary>
    internal bool Files { get; init; } = true;

    internal SystemCallPolicy SystemCalls { get; init; } = SystemCallPolicy.Refuse;
}

/// <summary>What members of the socket's group may ask for.</summary>
internal enum GroupAccess : byte
{
    Read,                       // dumps and statistics
    Full,                       // everything
}
