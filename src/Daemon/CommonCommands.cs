using Conntrackd.Control;
using Conntrackd.Linux;

namespace Conntrackd.Daemon;

/// <summary>
/// The requests that every mode answers alike; the rest is for the mode's own handler.
/// </summary>
internal sealed class CommonCommands(DaemonLoop loop, ICommandHandler mode) : ICommandHandler
{
    /// <inheritdoc/>
    public CommandReply Execute(ControlRequest request, ControlSession session)
    {
        switch (request)
        {
            case ControlRequest.StatisticsRuntime:
                Reports.AppendRuntime(session.Text, Status.RuntimeOf(loop));
                return WithMore(request, session, CommandReply.Done);
            case ControlRequest.StatisticsProcess:
                loop.Server.AppendReaders(session.Text);
                if (loop.Confinement is { } confinement)
                {
                    Reports.AppendConfinement(session.Text, confinement.Report);
                }
                Reports.AppendAccess(session.Text, loop.Server.Access, loop.Server.Counters);
                Reports.AppendKeyMemory(session.Text, new KeyMemoryReport(
                    SecretMemory.Bytes, SecretMemory.LockedBytes, Libc.MayDumpCore()));
                return CommandReply.Done;
            case ControlRequest.Kill:
                loop.Stop();
                return CommandReply.Done;
            case ControlRequest.Reload:
                string? failed = loop.Reload(line => session.Text.Append($"{line}\n"));
                if (failed is not null) { session.Fail(failed); }
                return CommandReply.Done;
            case ControlRequest.DumpInternal or ControlRequest.DumpExternal
                when session.Form != ReplyForm.Original:
                return loop.DumpOf(request, session.Form) is IDumpSource dump
                    ? CommandReply.Dump(dump) : CommandReply.Done;
            default:
                return WithMore(request, session, mode.Execute(request, session));
        }
    }

    private CommandReply WithMore(
        ControlRequest request, ControlSession session, CommandReply reply)
    {
        if (session.Form != ReplyForm.Original) { loop.AppendMore(request, session.Text); }
        return reply;
    }
}
