namespace Conntrackd.Netlink;

/// <summary>Answer to a request: an acknowledgement or what went wrong.</summary>
/// <remarks>
/// <code>
/// bytes 0-3   0, or the negative errno, host order
/// bytes 4-19  header of the request; more of it and explanations may follow
/// </code>Source: linux/netlink.h, struct nlmsgerr.
/// </remarks>
internal static class ErrorMessage
{
    /// <summary>
    /// False if <paramref name="message"/> is no NLMSG_ERROR or too short for a code.
    /// </summary>
    /// <param name="message">A message from the kernel.</param>
    /// <param name="errno">Positive; 0 is an acknowledgement.</param>
    /// <param name="sequence">Which request is answered.</param>
    internal static bool TryRead(in NetlinkMessage message, out int errno, out uint sequence)
    {
        sequence = message.Sequence;
        errno = 0;
        ReadOnlySpan<byte> payload = message.Payload;
        if (message.Type != NetlinkMessage.TypeError || payload.Length < sizeof(int))
        {
            return false;
        }
        int code = BitConverter.ToInt32(payload);
        // int.MinValue has no positive counterpart and is no errno; keep it non-zero.
        errno = code == int.MinValue ? int.MaxValue : Math.Abs(code);
        return true;
    }
}
