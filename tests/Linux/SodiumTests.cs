using System.Text;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Linux;

public sealed class SodiumTests
{
    // RFC 8439, section 2.8.2: the example of the construction.
    private const string KeyHex =
        "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
    private const string NonceHex = "070000004041424344454647";
    private const string HeaderHex = "50515253c0c1c2c3c4c5c6c7";
    private const string TagHex = "1ae10b594f09e26a7e902ecbd0600691";
    private const string Text = "Ladies and Gentlemen of the class of '99: If I could offer you "
        + "only one tip for the future, sunscreen would be it.";
    private const string CipherStartHex = "d31a8d34648e60db7b86afbc53ef7ec2";

    private static readonly byte[] s_key = Convert.FromHexString(KeyHex);
    private static readonly byte[] s_nonce = Convert.FromHexString(NonceHex);
    private static readonly byte[] s_header = Convert.FromHexString(HeaderHex);

    public SodiumTests() => Assert.True(Sodium.TryStart());

    [Fact]
    public void Sealing_gives_the_bytes_of_the_standard()
    {
        byte[] frame = SealText();
        Assert.Equal(Convert.FromHexString(CipherStartHex), frame[..16]);
        Assert.Equal(Convert.FromHexString(TagHex), frame[^Sodium.TagSize..]);
    }

    // The Galois/Counter Mode of Operation (McGrew, Viega), appendix B, test case 16.
    [Fact]
    public void Sealing_with_aes_gives_the_bytes_of_its_specification()
    {
        if (!Sodium.HasAes) { return; }
        const string Key = "feffe9928665731c6d6a8f9467308308";
        byte[] key = Convert.FromHexString(Key + Key);
        byte[] frame = [.. Convert.FromHexString(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"), .. new byte[16]];
        Sodium.Seal(
            frame, Convert.FromHexString("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
            Convert.FromHexString("cafebabefacedbaddecaf888"), key, aes: true);
        Assert.Equal("522dc1f099567d07f47f37a32a84427d", Convert.ToHexStringLower(frame[..16]));
        Assert.Equal("76fc6ece0f4e1768cddf8853bb2d551b", Convert.ToHexStringLower(frame[^16..]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_was_sealed_opens_and_nothing_else_does(bool aes)
    {
        if (aes && !Sodium.HasAes) { return; }
        byte[] frame = SealText(aes), text = new byte[Text.Length], other = [.. s_key];
        Assert.True(Sodium.TryOpen(frame, s_header, s_nonce, s_key, aes, text));
        Assert.Equal(Text, Encoding.ASCII.GetString(text));
        other[31] ^= 1;
        Array.Fill(text, (byte)0xa5);
        Assert.False(Sodium.TryOpen(frame, s_header, s_nonce, other, aes, text));
        Assert.False(Sodium.TryOpen(frame, s_header.AsSpan(1), s_nonce, s_key, aes, text));
        Assert.False(Sodium.TryOpen(frame.AsSpan(1), s_header, s_nonce, s_key, aes, text));
        Assert.False(Sodium.TryOpen(frame, s_header, s_nonce, s_key, aes, text.AsSpan(1)));
        Assert.False(Sodium.TryOpen(frame.AsSpan(0, 15), s_header, s_nonce, s_key, aes, text));
        Assert.False(Sodium.TryOpen(frame, s_header, s_nonce, s_key, !aes, text));
        Assert.DoesNotContain((byte)'L', text);
    }

    [Fact]
    public void Derived_keys_differ_by_purpose_and_by_key()
    {
        byte[] first = new byte[32], second = new byte[32], third = new byte[32];
        Sodium.Derive(first, "a"u8, s_key);
        Sodium.Derive(second, "b"u8, s_key);
        Sodium.Derive(third, "a"u8, first);
        Assert.NotEqual(first, second);
        Assert.NotEqual(first, third);
        // Keyed BLAKE2b-256 as RFC 7693 defines it, computed by Python's hashlib.
        Assert.Equal(
            "a36ad24d45cce0fc0b6ab35a2c14e0d634907cfa2dad9ac3576a9d86091c0df2",
            Convert.ToHexStringLower(first));
    }

    [Fact]
    public void Secret_memory_is_zero_at_first_and_hexadecimal_text_is_read_strictly()
    {
        using var memory = new SecretMemory(40);
        Assert.Equal(new byte[40], memory.Span.ToArray());
        Span<byte> target = stackalloc byte[2];
        Assert.True(Sodium.TryReadHex("0aFF"u8, target));
        Assert.Equal([0x0a, 0xff], target.ToArray());
        Assert.False(Sodium.TryReadHex("0aF"u8, target));
        Assert.False(Sodium.TryReadHex("0aFg"u8, target));
        Assert.False(Sodium.TryReadHex("0a F"u8, target));
        Sodium.Erase(target);
        Assert.Equal([0, 0], target.ToArray());
    }

    private static byte[] SealText(bool aes = false)
    {
        byte[] frame = [.. Encoding.ASCII.GetBytes(Text), .. new byte[Sodium.TagSize]];
        Sodium.Seal(frame, s_header, s_nonce, s_key, aes);
        return frame;
    }
}
