using System.Collections.Generic;
using System.Linq;
using System.Text;
using Conntrackd.Sync;

namespace Conntrackd.Tests.Sync;

/// <summary>A VRRP machine under test, and a daemon that does at once what it is told.</summary>
internal sealed class VrrpDesk
{
    internal VrrpDesk(
        string[]? groups = null, bool external = true, bool purgeOnFault = true,
        long holdOffSeconds = 60, bool claims = false)
    {
        Machine = new VrrpMachine(
            new VrrpSettings(
                SyncEngine.Second, holdOffSeconds * SyncEngine.Second, purgeOnFault, external,
                claims),
            [.. (groups ?? ["FW"]).Select(name => new VrrpGroup(name, isGroup: true))]);
    }

    internal VrrpMachine Machine { get; }

    /// <summary>What the daemon is like; the tests change it.</summary>
    internal VrrpView View { get; set; } = new()
    {
        IsPeerAlive = true,
        InternalCount = 1000,
        PurgeMicroseconds = 60 * SyncEngine.Second,
    };

    internal long Now { get; set; } = 100 * SyncEngine.Second;

    /// <summary>Reports of sequences, as they came.</summary>
    internal List<VrrpSequence> Reports { get; } = [];

    internal VrrpGroup Group(int index = 0) => Machine.Groups[index];

    /// <summary>Lines as keepalived writes them: "FW MASTER, FW BACKUP".</summary>
    internal string[] Say(string lines)
    {
        foreach (string line in lines.Split(", "))
        {
            string[] words = line.Split(' ');
            Machine.OnLine(Encoding.ASCII.GetBytes($"GROUP \"{words[0]}\" {words[1]} 0"));
        }
        return Turn();
    }

    /// <summary>One turn; the actions in words.</summary>
    internal string[] Turn()
    {
        Machine.Turn(View, Now);
        return Take();
    }

    internal string[] After(double seconds)
    {
        Now += (long)(seconds * SyncEngine.Second);
        return Turn();
    }

    internal string[] Take()
    {
        var words = new List<string>();
        while (Machine.TryTakeAction(out VrrpAction action))
        {
            switch (action.Kind)
            {
                case VrrpActionKind.Gate: words.Add($"Gate {action.Gate}"); break;
                case VrrpActionKind.Report:
                    Reports.Add(action.Sequence);
                    break;
                case VrrpActionKind.Commit:
                    View = View with { IsCommitting = true };
                    words.Add(action.Group!.KeepsLiving ? "Commit, keeping" : "Commit");
                    break;
                case VrrpActionKind.AbortCommit:
                    View = View with { IsCommitting = false };
                    words.Add("AbortCommit");
                    break;
                case VrrpActionKind.Purge: words.Add($"Purge {action.Group!.Name}"); break;
                case VrrpActionKind.Resync:
                    View = View with { IsResyncing = true };
                    words.Add("Resync");
                    break;
                case VrrpActionKind.Bulk:
                    View = View with { IsBulkRunning = true };
                    words.Add("Bulk");
                    break;
                default: words.Add(action.Kind.ToString()); break;
            }
        }
        return [.. words];
    }

    /// <summary>The step that runs ends.</summary>
    internal string[] StepEnds()
    {
        View = View with { IsCommitting = false, IsResyncing = false, IsBulkRunning = false };
        return Turn();
    }

    /// <summary>A backup in sync, a second later.</summary>
    internal VrrpDesk Synced()
    {
        Machine.Start(1);
        Machine.OnProcess(runs: true);
        Say("FW BACKUP");
        View = View with { BulksReceived = View.BulksReceived + 1 };
        After(1);
        return this;
    }

    /// <summary>A master with all done.</summary>
    internal VrrpDesk Steady()
    {
        Synced();
        Say("FW MASTER");
        for (int i = 0; i < 3; i++) { StepEnds(); }
        return this;
    }
}
