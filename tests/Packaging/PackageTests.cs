using System.IO;
using System.Linq;
using Conntrackd.Tests.Integration;
using Xunit;

namespace Conntrackd.Tests.Packaging;

/// <summary>What ./build.sh package makes: installed, used and removed.</summary>
public sealed class PackageTests(PackageTests.Made made) : IClassFixture<PackageTests.Made>
{
    [BinaryFact("dpkg-deb", "dpkg", "unshare")]
    public void The_Debian_package_takes_the_place_of_the_original_works_and_goes()
    {
        CommandResult result = Shell.Run("unshare",
            "--mount", "--net", "--pid", "--fork", "--kill-child",
            Path.Combine(Repository.Root, "tests", "Packaging", "trial.sh"), made.Find("*.deb"));
        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Contains("shown: and purged", result.Output);
    }

    [BinaryFact("dpkg-deb")]
    public void The_same_input_makes_the_same_package()
    {
        using var second = new Made();
        foreach (string pattern in new[] { "*.deb", "*.tar.gz" })
        {
            Assert.Equal(
                File.ReadAllBytes(made.Find(pattern)), File.ReadAllBytes(second.Find(pattern)));
        }
    }

    [BinaryFact("tar")]
    public void The_tarball_installs_into_an_empty_root_and_keeps_a_configuration()
    {
        string root = Path.Combine(made.Folder, "root"), unpacked;
        Directory.CreateDirectory(Path.Combine(root, "etc", "conntrackd"));
        string config = Path.Combine(root, "etc", "conntrackd", "conntrackd.conf");
        File.WriteAllText(config, "# mine\n");
        Shell.Run("tar", "-C", made.Folder, "-xzf", made.Find("*.tar.gz")).Checked();
        unpacked = Directory.GetDirectories(made.Folder, "conntrackd-*").Single();
        string install = Path.Combine(unpacked, "packaging", "install.sh");

        foreach (string init in new[] { "systemd", "openrc", "procd", "sysv", "none" })
        {
            Shell.Run(install, "--destdir", root, "--init", init).Checked();
        }

        Assert.Equal("# mine\n", File.ReadAllText(config));
        Assert.Contains("conntrackd",
            Shell.Run("chroot", root, "/usr/sbin/conntrackd", "-v").Checked().Output);
        Assert.True(File.Exists(root + "/usr/lib/systemd/system/conntrackd@.service"));
        Assert.True(File.Exists(root + "/usr/share/man/man5/conntrackd.conf.5"));
        Assert.Equal(1, Shell.Run(install, "--destdir", root, "--init", "other").ExitCode);
    }

    /// <summary>A folder with what packaging/package.sh has made; removed in the end.</summary>
    public sealed class Made : IDisposable
    {
        public Made()
        {
            // Without the program every test that needs it is skipped.
            if (Requirements.MissingForLab() is not null) { return; }
            Folder = Directory.CreateTempSubdirectory("ctd-package.").FullName;
            Shell.Run(Path.Combine(Repository.Root, "packaging", "package.sh"), Folder).Checked();
        }

        internal string Folder { get; } = "";

        internal string Find(string pattern) => Directory.GetFiles(Folder, pattern).Single();

        public void Dispose()
        {
            if (Folder.Length > 0) { Directory.Delete(Folder, recursive: true); }
        }
    }
}
