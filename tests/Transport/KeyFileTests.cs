using System.IO;
using System.Linq;
using Conntrackd.Linux;
using Conntrackd.Tests.Linux;
using Conntrackd.Transport;
using Xunit;

namespace Conntrackd.Tests.Transport;

public sealed class KeyFileTests : IDisposable
{
    private const int Private = 0x180;      // 0600

    private static readonly string s_key = string.Concat(Enumerable.Repeat("0123456789abcdef", 4));

    private readonly TemporaryDirectory _directory = new();
    private readonly string _path;

    public KeyFileTests() => _path = _directory.File("link.key");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_generated_file_is_private_and_its_key_is_active()
    {
        Assert.Null(KeyFile.TryGenerate(_path, out string done));
        Assert.StartsWith($"{_path}: new, with key 1; copy it", done);
        Assert.Equal(Errno.None, Libc.Inspect(_path, out FileFacts facts));
        Assert.Equal(Private, facts.Mode);
        using KeyRing ring = Read();
        Assert.Equal(1, ring.Count);
        Assert.Equal(0, ring.Active);
        Assert.Equal(1, ring.NumberOf(0));
        Assert.True(ring.Key(0).ContainsAnyExcept((byte)0));
    }

    [Fact]
    public void A_second_key_is_accepted_and_the_first_stays_active()
    {
        Write($"7 {s_key} active");         // no line feed at its end
        Assert.Null(KeyFile.TryGenerate(_path, out string done));
        Assert.Contains("key 8 added, not yet active", done);
        using KeyRing ring = Read();
        Assert.Equal(2, ring.Count);
        Assert.Equal(0, ring.Find(7));
        Assert.Equal(1, ring.Find(8));
        Assert.Equal(-1, ring.Find(1));
        Assert.Equal(0, ring.Active);
        Assert.Equal(Convert.FromHexString(s_key), ring.Key(0).ToArray());
        Assert.False(ring.Key(0).SequenceEqual(ring.Key(1)));
    }

    [Fact]
    public void A_fifth_key_is_refused_and_the_file_stays()
    {
        string full = string.Concat(Enumerable.Range(1, 4)
            .Select(number => $"{number} {s_key}{(number == 2 ? " active" : "")}\n"));
        Write(full);
        Assert.Contains("has 4 keys already", KeyFile.TryGenerate(_path, out _));
        Assert.Equal(full, File.ReadAllText(_path));
        using KeyRing ring = Read();
        Assert.Equal(1, ring.Active);
    }

    [Theory]
    [InlineData("", "no key, make one with --generate-key")]
    [InlineData("# only a remark\n\n", "no key, make one with --generate-key")]
    [InlineData("KEY active", "line 1: expected the number of a key, 1-255, first")]
    [InlineData("0 KEY", "line 1: expected the number of a key, 1-255, first")]
    [InlineData("256 KEY", "line 1: expected the number of a key, 1-255, first")]
    [InlineData("1x KEY", "line 1: expected the number of a key, 1-255, first")]
    [InlineData("1", "line 1: key 1 has 0 digits, expected 64 (256 bits)")]
    [InlineData("1 0123", "line 1: key 1 has 4 digits, expected 64 (256 bits)")]
    [InlineData("1 KEY0", "line 1: key 1 has 65 digits, expected 64 (256 bits)")]
    [InlineData("1 BAD", "line 1: key 1 is not hexadecimal")]
    [InlineData("1 KEY sending", "line 1: expected 'aes', 'active' or nothing after key 1")]
    [InlineData("1 KEY active now", "line 1: expected 'aes', 'active' or nothing after key 1")]
    [InlineData("1 KEY active\n2 KEY active", "line 2: key 1 is active already")]
    [InlineData("1 KEY active\n\n1 KEY", "line 3: a second key with number 1")]
    [InlineData("1 KEY\n2 KEY", "no key is marked 'active'")]
    [InlineData("1 KEY active\n2 KEY\n3 KEY\n4 KEY\n5 KEY", "line 5: more than 4 keys")]
    public void A_wrong_file_is_refused_with_the_line_and_without_the_key(
        string text, string expected)
    {
        Write(text.Replace("KEY", s_key, StringComparison.Ordinal)
            .Replace("BAD", new string('g', 64), StringComparison.Ordinal));
        string? wrong = KeyFile.TryRead(_path, out KeyRing? ring);
        Assert.Null(ring);
        Assert.Equal($"key file `{_path}': {expected}", wrong);
    }

    [Fact]
    public void A_key_may_be_for_aes_where_the_cpu_has_it()
    {
        Write($"1 {s_key} active\n2 {s_key} aes\n3 {s_key}  aes \n");
        string? wrong = KeyFile.TryRead(_path, out KeyRing? ring);
        using (ring)
        {
            if (!Sodium.HasAes)
            {
                Assert.Contains("line 2: key 2 is for AES, which this CPU", wrong);
                return;
            }
            Assert.Null(wrong);
            Assert.Equal([false, true, true], [ring!.IsAes(0), ring.IsAes(1), ring.IsAes(2)]);
        }
        Write($"1 {s_key}\n2 {s_key} aes active\n");
        using KeyRing other = Read();
        Assert.Equal(1, other.Active);
        Assert.True(other.IsAes(1));
    }

    [Theory]
    [InlineData(0x20, "0640")]
    [InlineData(0x04, "0604")]
    [InlineData(0x10, "0620")]
    [InlineData(0x01, "0601")]
    public void A_file_that_others_may_use_is_refused(int more, string mode)
    {
        Write($"1 {s_key}\n");
        Libc.ChangeMode(_path, Private | more);
        Assert.Equal(
            $"key file `{_path}': mode {mode}, others than its owner can use it: chmod 600",
            KeyFile.TryRead(_path, out _));
    }

    [Fact]
    public void What_is_no_key_file_is_refused_at_once()
    {
        Assert.Contains("No such file", KeyFile.TryRead(_path, out _));
        Assert.Contains("not a regular file", KeyFile.TryRead("/dev/zero", out _));
        Assert.Equal(Errno.None, Libc.MakeFifo(_path, 0x180));
        Assert.Contains("not a regular file", KeyFile.TryRead(_path, out _));
        File.Delete(_path);
        Write(new string('#', 4097));
        Assert.Contains("more than 4096 bytes", KeyFile.TryRead(_path, out _));
    }

    [RootFact]
    public void A_file_of_another_user_is_refused()
    {
        Write($"1 {s_key}\n");
        Integration.Shell.Run("chown", ["65534", _path]).Checked();
        Assert.Contains("its owner is user 65534, expected root", KeyFile.TryRead(_path, out _));
    }

    private KeyRing Read()
    {
        Assert.Null(KeyFile.TryRead(_path, out KeyRing? ring));
        return ring!;
    }

    private void Write(string text)
    {
        File.WriteAllText(_path, text);
        Libc.ChangeMode(_path, Private);
    }
}
