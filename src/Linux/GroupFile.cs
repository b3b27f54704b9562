using System.Globalization;
using System.Text;

namespace Conntrackd.Linux;

/// <summary>Numbers of groups, from /etc/group.</summary>
/// <remarks>
/// A static program has no other name services: a group that stands elsewhere is given by number.
/// Source: group(5), name:password:number:members.
/// </remarks>
internal static class GroupFile
{
    internal const string Path = "/etc/group";

    private const int BytesMax = 1024 * 1024;
    private const int NumberAt = 2;

    /// <summary>Null, or why there is no such group.</summary>
    internal static string? TryFind(string name, out uint group)
    {
        if (uint.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out group))
        {
            return null;
        }
        Errno error = Libc.Open(Path, Libc.OpenReadOnly, 0, out int fd);
        if (error != Errno.None) { return $"can't open {Path}: {error.Describe()}"; }
        byte[] text = new byte[BytesMax];
        int length = 0, count;
        do
        {
            error = Libc.Read(fd, text.AsSpan(length), out count);
            length += Math.Max(count, 0);
        }
        while (error == Errno.None && count > 0);
        Libc.Close(fd);
        if (error != Errno.None) { return $"can't read {Path}: {error.Describe()}"; }
        foreach (string line in Encoding.UTF8.GetString(text, 0, length).Split('\n'))
        {
            string[] fields = line.Split(':');
            if (fields.Length > NumberAt && fields[0] == name && uint.TryParse(
                fields[NumberAt], NumberStyles.None, CultureInfo.InvariantCulture, out group))
            {
                return null;
            }
        }
        return $"no such group in {Path}";
    }
}
