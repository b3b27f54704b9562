using System.IO;
using System.Text;
using Conntrackd.Conntrack;
using Xunit;

namespace Conntrackd.Tests.Control;

/// <summary>Compares text with what the original (conntrackd 1.4.7) printed.</summary>
internal static class Golden
{
    internal static string Read(string name) => File.ReadAllText(
        Path.Combine(AppContext.BaseDirectory, "Control", "samples", name));

    internal static void Check(string name, Action<TextBuffer> append) =>
        Assert.Equal(Read(name), Print(append));

    internal static string Print(Action<TextBuffer> append)
    {
        var text = new TextBuffer();
        append(text);
        return Encoding.UTF8.GetString(text.Written);
    }
}
