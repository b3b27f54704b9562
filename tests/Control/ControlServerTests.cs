using System.IO;
using System.Net.Sockets;
using System.Threading.Tasks;
using Conntrackd.Control;
using Conntrackd.Linux;
using Xunit;

namespace Conntrackd.Tests.Control;

public sealed class ControlServerTests
{
    private const int Many = 500_000;

    [Fact]
    public void Our_client_prints_the_text_and_nothing_else()
    {
        using var bed = new ServerBed();
        Assert.Equal((0, "StatisticsCache\n", ""), bed.Ask(ControlRequest.StatisticsCache));
        Assert.Equal([ControlRequest.StatisticsCache], bed.Requests);
        Assert.Equal(0, bed.Server.SessionCount);
    }

    [Fact]
    public void A_client_of_the_original_gets_bare_text()
    {
        using var bed = new ServerBed();
        Assert.Equal("StatisticsCache\n", bed.AskBare((uint)ControlRequest.StatisticsCache));
        bed.Answer = (_, session) =>
        {
            session.Text.Append("half"u8);
            session.Fail("the other half is missing");
            return CommandReply.Done;
        };
        Assert.Equal("half", bed.AskBare((uint)ControlRequest.Commit));
    }

    [Fact]
    public void A_request_that_fails_makes_our_client_exit_with_1()
    {
        using var bed = new ServerBed();
        bed.Answer = (_, session) =>
        {
            session.Fail("resync is unsupported in this mode");
            return CommandReply.Done;
        };
        Assert.Equal(
            (1, "", "resync is unsupported in this mode\n"), bed.Ask(ControlRequest.Resync));
    }

    [Fact]
    public void An_unknown_request_is_counted_and_not_executed()
    {
        using var bed = new ServerBed();
        Assert.Equal("", bed.AskBare(27));
        Assert.Equal("", bed.AskBare(uint.MaxValue));
        Assert.Equal(
            (1, "", "the daemon does not know request 27\n"), bed.Ask((ControlRequest)27));
        Assert.Equal(3ul, bed.Server.Counters.LocalUnknownRequest);
        Assert.Empty(bed.Requests);
    }

    [Fact]
    public void A_held_client_waits_until_the_work_is_done_and_others_do_not()
    {
        using var bed = new ServerBed();
        ControlSession? held = null;
        bed.Answer = (request, session) =>
        {
            if (request != ControlRequest.Commit) { return CommandReply.Done; }
            held = session;
            return CommandReply.Held;
        };
        Task<(int, string, string)> commit = bed.Start(ControlRequest.Commit);
        bed.RunUntil(() => held is not null);
        Assert.Equal((0, "", ""), bed.Ask(ControlRequest.Statistics));
        Assert.False(commit.IsCompleted);
        held!.Text.Append("done\n"u8);
        held.Complete();
        Assert.Equal((0, "done\n", ""), bed.RunUntil(commit));
        held.Complete();
        Assert.True(held.IsClosed);
    }

    [Fact]
    public void Work_completed_before_the_handler_returns_is_answered()
    {
        using var bed = new ServerBed();
        bed.Answer = (_, session) =>
        {
            session.Text.Append("at once\n"u8);
            session.Complete();
            return CommandReply.Held;
        };
        Assert.Equal((0, "at once\n", ""), bed.Ask(ControlRequest.Commit));
    }

    [Fact]
    public void A_held_client_that_goes_away_neither_spins_the_loop_nor_stops_the_work()
    {
        using var bed = new ServerBed();
        ControlSession? held = null;
        bed.Answer = (_, session) =>
        {
            held = session;
            return CommandReply.Held;
        };
        using (Socket client = bed.Connect())
        {
            client.Send(BitConverter.GetBytes((uint)ControlRequest.Commit));
            bed.RunUntil(() => held is not null);
        }
        bed.RunUntil(() => held!.Fd < 0);
        Assert.Equal(0, bed.Loop.RunOnce(0));
        Assert.False(held!.IsClosed);
        held.Complete();
        Assert.True(held.IsClosed);
        Assert.Equal(0, bed.Server.SessionCount);
    }

    [Fact]
    public async Task A_daemon_that_ends_before_the_work_is_done_makes_our_client_fail()
    {
        using var bed = new ServerBed();
        bool held = false;
        bed.Answer = (_, _) =>
        {
            held = true;
            return CommandReply.Held;
        };
        Task<(int Status, string Output, string Error)> commit = bed.Start(ControlRequest.Commit);
        bed.RunUntil(() => held);
        bed.Server.Dispose();
        (int status, _, string error) = await commit;
        Assert.Equal(1, status);
        Assert.Contains("before the answer was complete", error);
    }

    [Fact]
    public void A_silent_client_is_closed_after_its_time_and_stops_nobody()
    {
        using var bed = new ServerBed(new ControlLimits { RequestMilliseconds = 100 });
        using Socket silent = bed.Connect();
        Assert.Equal((0, "Kill\n", ""), bed.Ask(ControlRequest.Kill));
        Assert.Equal("", bed.RunUntil(Task.Run(() => ServerBed.ReadToEnd(silent))));
        Assert.Equal(1ul, bed.Server.Counters.LocalReadFailed);
        Assert.Equal(long.MaxValue, bed.Server.NextDeadlineMicroseconds);
    }

    [Fact]
    public void A_request_may_come_byte_by_byte_and_with_more_behind_it()
    {
        using var bed = new ServerBed();
        using Socket slow = bed.Connect();
        byte[] request = BitConverter.GetBytes((uint)ControlRequest.DumpExternalXml);
        foreach (byte value in request)
        {
            slow.Send([value]);
            bed.Loop.RunOnce(5);
            bed.Loop.RunOnce(5);
        }
        Assert.Equal("DumpExternalXml\n", bed.RunUntil(Task.Run(() => ServerBed.ReadToEnd(slow))));
        using Socket chatty = bed.Connect();
        chatty.Send([.. request, 1, 2, 3]);
        Assert.Equal(
            "DumpExternalXml\n", bed.RunUntil(Task.Run(() => ServerBed.ReadToEnd(chatty))));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void A_request_that_ends_early_is_counted(int bytes)
    {
        using var bed = new ServerBed();
        using (Socket client = bed.Connect()) { client.Send(new byte[bytes]); }
        bed.RunUntil(() => bed.Server.Counters.LocalReadFailed == 1);
        Assert.Empty(bed.Requests);
        Assert.Equal(0, bed.Server.SessionCount);
    }

    [Fact]
    public void A_long_text_is_written_as_the_client_takes_it()
    {
        using var bed = new ServerBed();
        string expected = NumberedLines.Expected(Many);
        bed.Answer = (_, session) =>
        {
            session.Text.Append(expected);
            return CommandReply.Done;
        };
        Assert.Equal((0, expected, ""), bed.Ask(ControlRequest.StatisticsResendQueue));
    }

    [Fact]
    public void A_dump_arrives_whole()
    {
        using var bed = new ServerBed();
        bed.Answer = (_, _) => CommandReply.Dump(new NumberedLines(Many));
        string expected = NumberedLines.Expected(Many);
        Assert.Equal((0, expected, ""), bed.Ask(ControlRequest.DumpInternal));
        Assert.Equal(expected, bed.AskBare((uint)ControlRequest.DumpInternal));
        bed.Answer = (_, _) => CommandReply.Dump(new NumberedLines(0));
        Assert.Equal((0, "", ""), bed.Ask(ControlRequest.DumpInternal));
        Assert.Equal("", bed.AskBare((uint)ControlRequest.DumpInternal));
    }

    [Fact]
    public void A_dump_that_fails_midway_says_so()
    {
        using var bed = new ServerBed();
        bed.Answer = (_, _) => CommandReply.Dump(
            new NumberedLines(1) { Failure = "kernel table: Operation not permitted" });
        Assert.Equal(
            (1, "line 0\n", "kernel table: Operation not permitted\n"),
            bed.Ask(ControlRequest.DumpInternal));
    }

    [Fact]
    public void A_reader_that_stands_still_is_listed_stops_nobody_and_ends_with_its_client()
    {
        using var bed = new ServerBed();
        var lines = new NumberedLines(Many);
        bed.Answer = (request, session) =>
        {
            if (request == ControlRequest.DumpInternal) { return CommandReply.Dump(lines); }
            bed.Server.AppendReaders(session.Text);
            return CommandReply.Done;
        };
        using (Socket client = bed.Connect())
        {
            client.Send(BitConverter.GetBytes((uint)ControlRequest.DumpInternal));
            bed.RunUntil(() => client.Available > 0);
            (int status, string output, _) = bed.Ask(ControlRequest.StatisticsProcess);
            Assert.Equal(0, status);
            Assert.Matches(@"^PID=\d+ type=any\n$", output);
        }
        bed.RunUntil(() => lines.IsDisposed);
        bed.RunUntil(() => bed.Ask(ControlRequest.StatisticsProcess).Output.Length == 0);
    }

    [Fact]
    public void A_client_that_takes_nothing_for_too_long_is_given_up()
    {
        using var bed = new ServerBed(new ControlLimits { StallMilliseconds = 200 });
        var lines = new NumberedLines(Many);
        bed.Answer = (request, session) =>
        {
            if (request == ControlRequest.DumpInternal) { return CommandReply.Dump(lines); }
            session.Text.Append(NumberedLines.Expected(Many));
            return CommandReply.Done;
        };
        using Socket dump = bed.Connect();
        using Socket text = bed.Connect();
        dump.Send(BitConverter.GetBytes((uint)ControlRequest.DumpInternal));
        text.Send(BitConverter.GetBytes((uint)ControlRequest.Statistics));
        bed.RunUntil(() => lines.IsDisposed);
        bed.RunUntil(() => bed.Requests.Count == 2 && bed.Server.SessionCount == 0);
        Assert.Equal(0ul, bed.Server.Counters.LocalReadFailed);
    }

    [Fact]
    public void Stopping_the_server_stops_its_readers()
    {
        using var bed = new ServerBed();
        var lines = new NumberedLines(Many);
        bed.Answer = (_, _) => CommandReply.Dump(lines);
        using Socket client = bed.Connect();
        client.Send(BitConverter.GetBytes((uint)ControlRequest.DumpInternal));
        bed.RunUntil(() => client.Available > 0);
        bed.Server.Dispose();
        Assert.True(lines.IsDisposed);
        Assert.False(File.Exists(bed.SocketPath));
    }

    [Fact]
    public void Clients_beyond_the_limit_wait_and_are_served()
    {
        using var bed = new ServerBed(
            new ControlLimits { ClientsMax = 2, RequestMilliseconds = 300 });
        using Socket first = bed.Connect();
        using Socket second = bed.Connect();
        bed.RunUntil(() => bed.Server.SessionCount == 2);
        Task<(int, string, string)> third = bed.Start(ControlRequest.Statistics);
        bed.RunUntil(() => bed.Server.NextDeadlineMicroseconds < long.MaxValue);
        Assert.Equal((0, "Statistics\n", ""), bed.RunUntil(third));
        Assert.Equal(2ul, bed.Server.Counters.LocalReadFailed);
    }

    [Fact]
    public void Stalled_clients_that_fill_the_room_are_given_up_for_those_that_wait()
    {
        using var bed = new ServerBed(
            new ControlLimits { ClientsMax = 2, CrowdedMilliseconds = 200 });
        bed.Answer = (request, session) =>
        {
            if (request == ControlRequest.DumpInternal)
            {
                return CommandReply.Dump(new NumberedLines(Many));
            }
            session.Text.Append(request == ControlRequest.Statistics ? "done\n"
                : NumberedLines.Expected(Many));
            return CommandReply.Done;
        };
        using Socket dump = bed.Connect();
        using Socket text = bed.Connect();
        dump.Send(BitConverter.GetBytes((uint)ControlRequest.DumpInternal));
        text.Send(BitConverter.GetBytes((uint)ControlRequest.StatisticsLink));
        bed.RunUntil(() => bed.Requests.Count == 2);
        Task<(int, string, string)> third = bed.Start(ControlRequest.Statistics);
        Assert.Equal((0, "done\n", ""), bed.RunUntil(third));
    }

    [Fact]
    public void A_hundred_clients_at_once_are_all_served()
    {
        using var bed = new ServerBed();
        bed.Answer = (_, _) => CommandReply.Dump(new NumberedLines(1000));
        var clients = new Task<(int, string, string)>[100];
        for (int i = 0; i < clients.Length; i++)
        {
            clients[i] = bed.Start(ControlRequest.DumpInternal);
        }
        string expected = NumberedLines.Expected(1000);
        foreach ((int, string, string) result in bed.RunUntil(Task.WhenAll(clients)))
        {
            Assert.Equal((0, expected, ""), result);
        }
    }

    [Fact]
    public void The_loop_is_told_to_wake_for_the_earliest_client()
    {
        using var bed = new ServerBed(new ControlLimits { RequestMilliseconds = 60_000 });
        Assert.Equal(long.MaxValue, bed.Server.NextDeadlineMicroseconds);
        using Socket client = bed.Connect();
        bed.RunUntil(() => bed.Server.SessionCount == 1);
        long left = bed.Server.NextDeadlineMicroseconds - Clock.MonotonicMicroseconds();
        Assert.InRange(left, 50_000_000, 60_000_000);
    }
}
