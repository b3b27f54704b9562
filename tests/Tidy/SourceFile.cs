using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.RegularExpressions;

namespace Conntrackd.Tests.Tidy;

/// <summary>A function found in a source file: its head, where it starts, how long it is.</summary>
internal sealed record SourceFunction(string Head, int FirstLine, int LineCount);

/// <summary>A type found in a source file, and whether a summary stands above it.</summary>
internal sealed record SourceType(string Name, int Line, bool IsPartial, bool HasSummary);

/// <summary>
/// One C# file, read well enough to check the style of the house: the code without comments and
/// literals, its types and its functions. It is no parser; it follows braces and reads the words
/// in front of them.
/// </summary>
internal sealed partial class SourceFile
{
    private readonly string[] _codeLines;

    internal SourceFile(string path, string text)
    {
        Path = path;
        Lines = text.TrimEnd('\n').Split('\n');
        Code = Blank(text);
        _codeLines = Code.Split('\n');
        Scan();
    }

    /// <summary>Relative to the root of the repository, with forward slashes.</summary>
    internal string Path { get; }

    internal string[] Lines { get; }

    /// <summary>
    /// The text with comments and literals blanked; lines and columns are the same.
    /// </summary>
    internal string Code { get; }

    internal List<SourceType> Types { get; } = [];

    internal List<SourceFunction> Functions { get; } = [];

    internal static SourceFile Read(string root, string path) =>
        new(System.IO.Path.GetRelativePath(root, path).Replace('\\', '/'), File.ReadAllText(path));

    /// <summary>The lines, counted from 1, on which the code matches the pattern.</summary>
    internal IEnumerable<(int Line, string Text)> Find(Regex pattern)
    {
        for (int i = 0; i < _codeLines.Length; i++)
        {
            foreach (Match match in pattern.Matches(_codeLines[i]))
            {
                yield return (i + 1, match.Value);
            }
        }
    }

    private static string Blank(string text)
    {
        var code = new StringBuilder(text);
        int at = 0;
        while (at < text.Length)
        {
            int end = LiteralEnd(text, at);
            for (int i = at; i < end; i++)
            {
                if (code[i] != '\n')
                {
                    code[i] = ' ';
                }
            }
            at = Math.Max(end, at + 1);
        }
        return code.ToString();
    }

    /// <summary>
    /// The end of the comment or literal that starts here, or this place if none does.
    /// </summary>
    private static int LiteralEnd(string text, int at)
    {
        ReadOnlySpan<char> rest = text.AsSpan(at);
        if (rest.StartsWith("//"))
        {
            return EndAfter(text, "\n", at) - 1;
        }
        if (rest.StartsWith("/*"))
        {
            return EndAfter(text, "*/", at + 2);
        }
        Match open = StringStart().Match(text, at);
        if (open.Success)
        {
            return StringEnd(text, at + open.Length, open.Groups[1].Value);
        }
        return rest[0] == '\'' ? QuotedEnd(text, at + 1, '\'') : at;
    }

    private static int StringEnd(string text, int at, string prefix)
    {
        int quotes = 1;
        while (at - 1 + quotes < text.Length && text[at - 1 + quotes] == '"')
        {
            quotes++;
        }
        if (quotes >= 3)
        {
            return EndAfter(text, new string('"', quotes), at - 1 + quotes);
        }
        if (!prefix.Contains('@', StringComparison.Ordinal))
        {
            return QuotedEnd(text, at, '"');
        }
        while (at < text.Length)
        {
            if (text[at] == '"' && (at + 1 == text.Length || text[at + 1] != '"'))
            {
                return at + 1;
            }
            at += text[at] == '"' ? 2 : 1;
        }
        return at;
    }

    private static int QuotedEnd(string text, int at, char quote)
    {
        while (at < text.Length && text[at] != quote && text[at] != '\n')
        {
            at += text[at] == '\\' ? 2 : 1;
        }
        return Math.Min(at + 1, text.Length);
    }

    private static int EndAfter(string text, string mark, int from)
    {
        int found = text.IndexOf(mark, Math.Min(from, text.Length), StringComparison.Ordinal);
        return found < 0 ? text.Length : found + mark.Length;
    }

    private enum Scope
    {
        Namespace,
        Type,
        Inside,
    }

    private void Scan()
    {
        var scopes = new Stack<(Scope Kind, string Head, int Line)>();
        int headStart = 0, line = 1, round = 0;
        for (int i = 0; i < Code.Length; i++)
        {
            char c = Code[i];
            Scope outer = scopes.Count == 0 ? Scope.Namespace : scopes.Peek().Kind;
            round += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (c == '\n')
            {
                line++;
            }
            else if (c == ';' && round == 0)
            {
                // A type may have no body: "record struct X(int A);".
                AddType(Code[headStart..i], line, outer);
                headStart = i + 1;
            }
            else if (c == '{')
            {
                string head = Code[headStart..i];
                bool isType = AddType(head, line, outer);
                Scope kind = isType ? Scope.Type
                    : outer == Scope.Namespace ? Scope.Namespace : Scope.Inside;
                scopes.Push((kind, head, line));
                headStart = i + 1;
            }
            else if (c == '}' && scopes.Count > 0)
            {
                (Scope kind, string head, int opened) = scopes.Pop();
                bool isMember = scopes.Count > 0 && scopes.Peek().Kind == Scope.Type;
                if (kind == Scope.Inside && isMember && !IsInitializer(head))
                {
                    int first = opened - CountLines(head.TrimStart());
                    Functions.Add(new(Squeeze(head), first, line - first + 1));
                }
                headStart = i + 1;
            }
        }
    }

    private static int CountLines(string head)
    {
        int count = 0;
        foreach (char c in head)
        {
            count += c == '\n' ? 1 : 0;
        }
        return count;
    }

    // "int[] a = {": a table of data, not a function.
    private static bool IsInitializer(string head)
    {
        string trimmed = head.TrimEnd();
        return trimmed.EndsWith('=') || trimmed.EndsWith("new()", StringComparison.Ordinal)
            || InitializerHead().IsMatch(trimmed);
    }

    private bool AddType(string head, int headEndLine, Scope outer)
    {
        Match match = outer == Scope.Inside ? Match.Empty : TypeHead().Match(head);
        if (!match.Success)
        {
            return false;
        }
        int line = headEndLine - CountLines(head[match.Index..].TrimStart());
        bool isPartial = match.Value.Contains("partial ", StringComparison.Ordinal);
        Types.Add(new(match.Groups["name"].Value, line, isPartial, HasSummary(line - 1)));
        return true;
    }

    /// <summary>Whether the comment above this line, attributes skipped, has a summary.</summary>
    private bool HasSummary(int lineIndex)
    {
        for (int i = lineIndex - 1; i >= 0; i--)
        {
            string line = Lines[i].Trim();
            if (line.StartsWith("///", StringComparison.Ordinal))
            {
                if (line.Contains("<summary>", StringComparison.Ordinal)
                    || line.Contains("<inheritdoc", StringComparison.Ordinal))
                {
                    return true;
                }
            }
            else if (line.Length == 0 || line.EndsWith(';') || line is "{" or "}")
            {
                return false;
            }
        }
        return false;
    }

    private static string Squeeze(string head) => Blanks().Replace(head, " ").Trim();

    [GeneratedRegex("""\G([$@]*)" """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex StringStart();

    [GeneratedRegex(@"(?<=^|[\s\]])((public|internal|private|protected|file|static|sealed|abstract"
        + @"|partial|readonly|ref|unsafe|new)\s+)*(class|struct|interface|enum|record(\s+struct"
        + @"|\s+class)?|delegate\s+[\w<>.\[\]?]+)\s+(?<name>[A-Za-z_]\w*)\s*([(<:,\s{]|$)")]
    private static partial Regex TypeHead();

    [GeneratedRegex(@"=\s*new\b[^;]*$|=\s*\[[^;]*$")]
    private static partial Regex InitializerHead();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
