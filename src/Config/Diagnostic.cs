using System.Text;

namespace Conntrackd.Config;

/// <summary>Whether the daemon starts with what was said.</summary>
internal enum Severity : byte { Warning, Error }

/// <summary>One remark about a configuration file.</summary>
/// <param name="Severity">An error means that there are no options.</param>
/// <param name="FileName">As the user gave it.</param>
/// <param name="Position">Of the word in question.</param>
/// <param name="Message">What was found and what would be right; no full stop.</param>
/// <param name="SourceLine">The line, printable, perhaps shortened; empty at the end.</param>
/// <param name="CaretAt">Where in <paramref name="SourceLine"/> the word starts, from 0.</param>
internal sealed record Diagnostic(
    Severity Severity,
    string FileName,
    SourcePosition Position,
    string Message,
    string SourceLine,
    int CaretAt)
{
    /// <summary>One line: file:line:column: message.</summary>
    public override string ToString() =>
        $"{FileName}:{Position.Line}:{Position.Column}: {Message}";

    /// <summary>
    /// The one line, then the source line and a caret below the word; no line feed at the end.
    /// </summary>
    internal string Render()
    {
        var text = new StringBuilder(ToString());
        if (SourceLine.Length == 0) { return text.ToString(); }
        text.Append("\n    ").Append(SourceLine).Append("\n    ");
        for (int i = 0; i < CaretAt; i++)
        {
            // A tab stays a tab, so the caret stands right at any tab width.
            text.Append(i < SourceLine.Length && SourceLine[i] == '\t' ? '\t' : ' ');
        }
        return text.Append('^').ToString();
    }
}
