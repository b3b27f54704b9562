using System.Collections.Generic;

namespace Conntrackd.Config;

/// <summary>Options/ExpectationSync: off, of all helpers, or of helpers by name.</summary>
/// <param name="IsOn">False: expectations are not replicated.</param>
/// <param name="Helpers">
/// Prefixes of helper names, at most 16 bytes each, case ignored ("sip" covers "sip-5060"). Empty:
/// every helper.
/// </param>
internal sealed record ExpectationSync(bool IsOn, IReadOnlyList<string> Helpers)
{
    internal const int HelperLengthMax = 16;

    internal static readonly ExpectationSync Off = new(false, []);
    internal static readonly ExpectationSync All = new(true, []);

    /// <summary>
    /// True if expectations of <paramref name="helper"/> are replicated. One without a helper name
    /// passes only if no helpers are listed.
    /// </summary>
    internal bool Covers(ReadOnlySpan<byte> helper)
    {
        if (!IsOn || Helpers.Count == 0) { return IsOn; }
        for (int i = 0; i < Helpers.Count; i++)
        {
            string prefix = Helpers[i];
            if (helper.Length >= prefix.Length
                && System.Text.Ascii.EqualsIgnoreCase(helper[..prefix.Length], prefix))
            {
                return true;
            }
        }
        return false;
    }
}
