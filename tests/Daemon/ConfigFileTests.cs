using System.IO;
using System.Threading.Tasks;
using Conntrackd.Daemon;
using Conntrackd.Tests.Integration;
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
    public async Task A_pipe_is_read_and_one_that_nobody_writes_to_is_told()
    {
        Shell.Run("mkfifo", FilePath).Checked();
        ConfigLoad load = ConfigFile.Load(FilePath);
        Assert.Equal(
            $"can't read config file `{FilePath}': nothing came within 2000 ms", load.Error);
        Task writer = Task.Run(() => File.WriteAllText(FilePath, "General { HashSize 7 }\n"));
        Assert.Equal(7u, ConfigFile.Load(FilePath).Options?.HashSize);
        await writer;
    }

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/dev/urandom")]
    public void A_file_without_end_is_told(string path) => Assert.Equal(
        $"can't read config file `{path}': more than 16777216 bytes", ConfigFile.Load(path).Error);

    [Fact]
    public void A_path_of_300_bytes_is_told()
    {
        string path = Path.Combine(_folder, new string('x', 300));
        Assert.Equal($"can't open config file `{path}': File name too long",
            ConfigFile.Load(path).Error);
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
