using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;

namespace Conntrackd.Tests.Integration;

/// <summary>
/// A pair of firewalls between an FTP client and an FTP server, which may reach each other through
/// either of them.
/// </summary>
/// <remarks><code>
///            in0  fw1  out0
///           /       |      \
///   client          sync    server         client 10.11.0.10 fd11::10
///           \       |      /               server 10.22.0.10 fd22::10
///            in0  fw2  out0                 seen as 198.51.100.100 fd22::abcd:1
/// </code>
/// Firewalls let in new connections to port 21 only and translate the client's address into one of
/// another length, so a PORT or EPRT command grows. Data connections pass only as related ones.
/// </remarks>
internal sealed class FtpLab : IDisposable
{
    internal const string Seen4 = "198.51.100.100", Seen6 = "fd22::abcd:1";
    private const string Client4 = "10.11.0.10", Client6 = "fd11::10";
    private const string Server4 = "10.22.0.10", Server6 = "fd22::10";

    private const string Rules = $$"""
        flush chain inet fw newcomers
        add rule inet fw newcomers iifname in0 tcp dport 21 accept
        table inet ftp {
            ct helper ftp { type "ftp" protocol tcp; }
            chain pre {
                type filter hook prerouting priority filter; policy accept;
                tcp dport 21 ct helper set "ftp"
            }
            chain srcnat {
                type nat hook postrouting priority 99; policy accept;
                oifname "out0" tcp dport 21 meta nfproto ipv4 snat ip to {{Seen4}}
                oifname "out0" tcp dport 21 meta nfproto ipv6 snat ip6 to {{Seen6}}
            }
        }

        """;

    private readonly string _client;
    private readonly string _server;
    private readonly Process _daemon;

    internal FtpLab(Lab lab)
    {
        string name = lab.Namespace(1)[..^"-fw1".Length];
        _client = name + "-cl";
        _server = name + "-sv";
        try
        {
            Build(lab);
            Route(1);
            _daemon = Shell.Start("ip",
                ["netns", "exec", _server, "python3", Script, "serve"]);
            Wait.Until("the FTP server listens", 5, () =>
                In(_server, "ss", "-Hltn", "sport = :21").Output.Contains("[::]:21"));
        }
        catch
        {
            RemoveNamespaces();
            throw;
        }
    }

    private static string Script =>
        Path.Combine(Repository.Root, "tests", "Integration", "ftp.py");

    /// <summary>Leads both directions through one firewall, from one packet to the next.</summary>
    internal void Route(int firewall)
    {
        Ip("-n", _client, "route", "replace", Server4, "via", $"10.11.{firewall}.1",
            "src", Client4);
        Ip("-n", _client, "route", "replace", Server6, "via", $"fd11:{firewall}::1",
            "src", Client6);
        Ip("-n", _server, "route", "replace", Seen4, "via", $"10.22.{firewall}.1");
        Ip("-n", _server, "route", "replace", Seen6, "via", $"fd22:{firewall}::1");
    }

    internal FtpClient Connect(bool ipv6) => new(
        _client, Script, ipv6 ? Server6 : Server4, ipv6 ? Client6 : Client4);

    public void Dispose()
    {
        _daemon.Kill();
        _daemon.WaitForExit();
        _daemon.Dispose();
        RemoveNamespaces();
    }

    private void Build(Lab lab)
    {
        foreach (string host in new[] { _client, _server })
        {
            Ip("netns", "add", host);
            Ip("-n", host, "link", "set", "lo", "up");
            In(host, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
                "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0").Checked();
        }
        Ip("-n", _client, "addr", "add", Client4 + "/32", "dev", "lo");
        Ip("-n", _client, "addr", "add", Client6 + "/128", "dev", "lo", "nodad");
        Ip("-n", _server, "addr", "add", Server4 + "/32", "dev", "lo");
        Ip("-n", _server, "addr", "add", Server6 + "/128", "dev", "lo", "nodad");
        string rules = lab.PathOf("ftp.nft");
        File.WriteAllText(rules, Rules);
        for (int firewall = 1; firewall <= 2; firewall++)
        {
            lab.Run(firewall, "sysctl", "-qw", "net.ipv4.ip_forward=1",
                "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0",
                "net.ipv4.conf.default.rp_filter=0",
                "net.netfilter.nf_conntrack_tcp_loose=0").Checked();
            string name = lab.Namespace(firewall);
            Join(name, "in0", _client, firewall, "11", Client4, Client6);
            Join(name, "out0", _server, firewall, "22", Server4, Server6);
            lab.Run(firewall, "nft", "-f", rules).Checked();
        }
    }

    private static void Join(
        string firewall, string port, string host, int number, string net, string host4,
        string host6)
    {
        Ip("-n", firewall, "link", "add", port, "type", "veth", "peer", "name", $"fw{number}",
            "netns", host);
        Ip("-n", firewall, "addr", "add", $"10.{net}.{number}.1/24", "dev", port);
        Ip("-n", firewall, "addr", "add", $"fd{net}:{number}::1/64", "dev", port, "nodad");
        Ip("-n", host, "addr", "add", $"10.{net}.{number}.2/24", "dev", $"fw{number}");
        Ip("-n", host, "addr", "add", $"fd{net}:{number}::2/64", "dev", $"fw{number}", "nodad");
        Ip("-n", firewall, "link", "set", port, "up");
        Ip("-n", host, "link", "set", $"fw{number}", "up");
        Ip("-n", firewall, "route", "add", host4, "via", $"10.{net}.{number}.2");
        Ip("-n", firewall, "route", "add", host6, "via", $"fd{net}:{number}::2");
    }

    private void RemoveNamespaces()
    {
        Shell.Run("ip", "netns", "del", _client);
        Shell.Run("ip", "netns", "del", _server);
    }

    private static CommandResult In(string host, string program, params string[] arguments) =>
        Shell.Run("ip", ["netns", "exec", host, program, .. arguments]);

    private static void Ip(params string[] arguments) => Shell.Run("ip", arguments).Checked();
}

/// <summary>An FTP client that does what it is told, a line for a line.</summary>
internal sealed class FtpClient : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly Process _process;

    internal FtpClient(string host, string script, string server, string local) =>
        _process = Shell.Start("ip",
            ["netns", "exec", host, "python3", script, "client", server, local], redirect: true);

    internal string Tell(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        Task<string?> answer = _process.StandardOutput.ReadLineAsync();
        if (!answer.Wait(s_patience))
        {
            throw new TimeoutException($"the FTP client does not answer '{command}'");
        }
        return answer.Result ?? throw new InvalidOperationException(
            $"'{command}': " + _process.StandardError.ReadToEnd());
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
