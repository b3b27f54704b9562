namespace Conntrackd.Config;

/// <summary>Block Sandbox, and who may use the control socket.</summary>
internal sealed partial class ConfigParser
{
    // What was said; the rest depends on the other blocks.
    private bool? _sandboxCapabilities, _sandboxPrivileges, _sandboxFiles;
    private SystemCallPolicy? _sandboxCalls;

    private bool ReadSandboxSwitch(ref bool? target)
    {
        if (!Bool(out bool on)) { return false; }
        target = on;
        return true;
    }

    private bool ReadSandboxCalls()
    {
        if (TryBool(out bool on))
        {
            _sandboxCalls = on ? SystemCallPolicy.Refuse : SystemCallPolicy.Off;
            return true;
        }
        if (!TryWord("Kill")) { return Expected("on, off or Kill"); }
        _sandboxCalls = SystemCallPolicy.Kill;
        return true;
    }

    private bool ReadUnixGroup() =>
        Name(out string name, out _, "the name or number of a group")
        && Set(_options with { UnixGroup = name });

    private bool ReadUnixGroupAccess()
    {
        if (TryWord("Read")) { return Set(_options with { UnixGroupAccess = GroupAccess.Read }); }
        if (TryWord("Full")) { return Set(_options with { UnixGroupAccess = GroupAccess.Full }); }
        return Expected("Read or Full");
    }

    private void FinishSandbox()
    {
        SandboxOptions usual =
            _options.Vrrp?.Command is null ? new SandboxOptions() : SandboxOptions.None;
        var sandbox = new SandboxOptions
        {
            Capabilities = _sandboxCapabilities ?? usual.Capabilities,
            NoNewPrivileges = _sandboxPrivileges ?? usual.NoNewPrivileges,
            Files = _sandboxFiles ?? usual.Files,
            SystemCalls = _sandboxCalls ?? usual.SystemCalls,
        };
        bool needsIt = sandbox.Files || sandbox.SystemCalls != SystemCallPolicy.Off;
        if (needsIt && !sandbox.NoNewPrivileges)
        {
            if (_sandboxPrivileges is false)
            {
                Warning(_origins["Sandbox.NoNewPrivileges"],
                    "'NoNewPrivileges off' has no effect with 'Files' or 'SystemCalls', "
                        + "ignoring it");
            }
            sandbox = sandbox with { NoNewPrivileges = true };
        }
        if (_options.UnixGroup is null && _origins.TryGetValue("UNIX.GroupAccess", out Token at))
        {
            Warning(at, "'GroupAccess' has no effect without 'Group'");
        }
        _options = _options with { Sandbox = sandbox };
    }
}
