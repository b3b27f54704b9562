namespace Conntrackd.Config;

/// <summary>What a run of bytes in a configuration file looks like.</summary>
internal enum TokenKind : byte
{
    End,                        // end of the file
    Word,                       // directive, boolean, name
    Number,                     // decimal digits
    SignedNumber,               // + or -, then digits
    Ipv4,                       // four groups of digits, perhaps /digits
    Ipv6,                       // groups of hex digits and colons, perhaps /digits
    Path,                       // / up to a blank or a quote
    Open,                       // {
    Close,                      // }
    Bad,                        // a byte that starts nothing, or a run of bytes from 0x80
}

/// <summary>A token: where it is and what it looks like.</summary>
/// <param name="Kind">By the longest match; what a word means is decided by its place.</param>
/// <param name="Start">Offset in the file, bytes.</param>
/// <param name="Length">Bytes; 0 at the end.</param>
/// <param name="Line">From 1.</param>
internal readonly record struct Token(TokenKind Kind, int Start, int Length, int Line)
{
    internal int End => Start + Length;
}
