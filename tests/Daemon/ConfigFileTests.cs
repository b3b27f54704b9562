using System.IO;
using Conntrackd.Daemon;
using Xunit;

namespace Conntrackd.Tests.Daemon;

public sealed class ConfigFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ct-config-").FullName;

    private string FilePath => Path.Combine(_folder, "conntrackd.conf");

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    public void A_file_of_any_length_is_read_whole(int padding)
    {
        File.WriteAllText(
            FilePath, new string('\n', padding) + "General { UNIX { Path /run/x.ctl } }\n");
        ConfigLoad load = ConfigFile.Load(FilePath);
        Assert.Null(load.Error);
        Assert.Equal("/run/x.ctl", load.Options!.UnixPath);
    }

    [Fact]
    public void A_file_that_is_missing_is_told()
    {
        ConfigLoad load = ConfigFile.Load(FilePath);
        Assert.Equal($"can't open config file `{FilePath}': No such file or directory", load.Error);
        Assert.Null(load.Options);
    }

    [Fact]
    public void A_directory_is_told()
    {
        ConfigLoad load = ConfigFile.Load(_folder);
        Assert.Equal($"can't read config file `{_folder}': Is a directory", load.Error);
        Assert.Null(load.Options);
    }

    [Fact]
    public void A_file_with_errors_has_diagnostics_and_no_options()
    {
        File.WriteAllText(FilePath, "General {\n");
        ConfigLoad load = ConfigFile.Load(FilePath);
        Assert.Null(load.Error);
        Assert.Null(load.Options);
        Assert.NotEmpty(load.Result!.Diagnostics);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
