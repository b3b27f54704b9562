using Conntrackd.Config;
using Xunit;
using static Conntrackd.Tests.Config.Parsing;

namespace Conntrackd.Tests.Config;

public sealed class SandboxTests
{
    private const string Sync = "Sync { Mode FTFW { }\n" + Udp + "}\n";

    [Fact]
    public void All_of_it_is_on_without_a_word() =>
        Assert.Equal(new SandboxOptions(), Clean(General("HashSize 1") + Sync).Sandbox);

    [Fact]
    public void Each_part_has_its_switch()
    {
        SandboxOptions sandbox = Clean(General("""
            Sandbox {
                Capabilities off
                NoNewPrivileges off
                Files off
                SystemCalls off
            }
            """)).Sandbox;
        Assert.Equal(SandboxOptions.None, sandbox);
        Assert.Equal(SystemCallPolicy.Kill,
            Clean(General("Sandbox { SystemCalls Kill }")).Sandbox.SystemCalls);
        Assert.False(Clean(General("Sandbox { Files off }")).Sandbox.Files);
    }

    [Fact]
    public void No_new_privileges_come_with_what_needs_them() =>
        Assert.True(Warned(
            General("Sandbox { NoNewPrivileges off }"),
            "2:11: 'NoNewPrivileges off' has no effect with 'Files' or 'SystemCalls', ignoring it")
            .Sandbox.NoNewPrivileges);

    [Fact]
    public void A_program_that_is_run_inherits_nothing_unless_asked()
    {
        const string Vrrp = "VRRP { Group A Command /usr/bin/after }\n";
        Assert.Equal(SandboxOptions.None, Clean(General(Vrrp) + Sync).Sandbox);
        Assert.Equal(SandboxOptions.None with { Capabilities = true },
            Clean(General(Vrrp + "Sandbox { Capabilities on }") + Sync).Sandbox);
    }

    [Fact]
    public void The_socket_may_have_a_group()
    {
        Options options = Clean("General { UNIX { Path /run/a.ctl Group adm GroupAccess Full } }");
        Assert.Equal(("adm", GroupAccess.Full), (options.UnixGroup, options.UnixGroupAccess));
        options = Clean("General { UNIX { Path /run/a.ctl Group 4 } }");
        Assert.Equal(("4", GroupAccess.Read), (options.UnixGroup, options.UnixGroupAccess));
        Assert.Null(Warned(
            "General { UNIX { Path /run/a.ctl GroupAccess Read } }",
            "1:34: 'GroupAccess' has no effect without 'Group'").UnixGroup);
    }

    [Fact]
    public void Mistakes_are_told_where_they_stand() => Refused(
        General("Sandbox {\nFiles maybe\nSystemCalls kill\nFoo\n}\nUNIX {\nGroupAccess All\n}"),
        "3:7: expected on or off after 'Files', found 'maybe'",
        "4:13: expected on, off or Kill after 'SystemCalls', found 'kill'",
        "5:1: unknown directive 'Foo' in 'Sandbox'",
        "8:13: expected Read or Full after 'GroupAccess', found 'All'");
}
