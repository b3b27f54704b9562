using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Conntrackd.Tests.Tidy;
using Xunit;

namespace Conntrackd.Tests;

/// <summary>
/// The rules of the house that a compiler does not check: which room may use which, where unsafe
/// code may stand, how long things may get. Each test lists every offence, file and line first.
/// </summary>
public sealed class TidyTests
{
    private const int FunctionLinesMax = 70, FileLinesMax = 600, ColumnsMax = 100;

    /// <summary>The comment that excuses a file longer than the limit, with its reason.</summary>
    private const string LongFileExcuse = "Long because";

    // The rooms by level: arrows go down only, rooms on one level do not know each other.
    private static readonly string[][] s_levels =
    [
        ["Netlink", "Linux"],
        ["Conntrack"],
        ["Cache", "Wire", "Config"],
        ["Sync", "Kernel", "Transport"],
        ["Control"],
        ["Daemon"],
    ];

    // Rooms that never touch the machine: no system call, no clock, no descriptor.
    private static readonly string[] s_pureRooms =
        ["Netlink", "Conntrack", "Wire", "Cache", "Config", "Sync"];

    // Besides all of Linux. The slots live in native memory: a million flows are no work for a
    // garbage collector.
    private static readonly string[] s_unsafeFiles =
        ["src/Cache/FlowIndex.cs", "src/Cache/SlotPool.cs"];

    private static readonly Regex s_unsafe = new(
        @"\bunsafe\b|\bUnsafe\.|\b(Memory|Collections)Marshal\.|\[(Library|Dll)Import\b");

    private static readonly Regex s_openEnds = new(
        @"\b(TO" + "DO|FIX" + "ME|HA" + "CK|XX" + @"X)\b|\bNot" + @"ImplementedException\b");

    // Programs that are not C#: only their width and their open ends are looked at.
    private static readonly string[] s_scriptFolders = ["packaging", ".ci"];
    private static readonly string[] s_scriptNames = ["*.sh", "*.py", "*.nft", "run"];

    private static readonly List<SourceFile> s_sources = ReadAll("src");
    private static readonly List<SourceFile> s_all =
        [.. s_sources, .. ReadAll("tests"), .. ReadAll("bench")];

    [Fact]
    public void Rooms_use_only_the_rooms_below_them()
    {
        var offences = new List<string>();
        foreach (SourceFile file in s_sources)
        {
            if (RoomOf(file) is not string room)
            {
                continue;
            }
            string[] forbidden = [.. AllRooms().Where(other => !MayUse(room, other))];
            offences.AddRange(References(file, forbidden)
                .Select(hit => $"{file.Path}:{hit.Line}: {room} must not use {hit.Text}"));
        }
        AssertNone(offences);
    }

    [Theory]
    [InlineData("using Conntrackd.Sync;", true)]
    [InlineData("Conntrackd.Sync.SyncEngine e;", true)]
    [InlineData("Sync.SyncEngine e;", true)]
    [InlineData("// Sync.SyncEngine", false)]
    [InlineData("options.Sync.Mode();", false)]
    [InlineData("using Conntrackd.Wire;", false)]
    [InlineData("SyncEngine.Mode();", false)]
    public void A_reference_to_a_room_is_seen_in_every_spelling(string code, bool isSeen)
    {
        var file = new SourceFile("src/Cache/Sample.cs", code + "\n");
        Assert.Equal(isSeen, References(file, ["Sync"]).Any());
    }

    [Fact]
    public void Files_declare_the_room_they_stand_in()
    {
        var offences = new List<string>();
        foreach (SourceFile file in s_sources)
        {
            string? room = RoomOf(file);
            string expected = room is null ? "Conntrackd" : $"Conntrackd.{room}";
            if (room is not null && !AllRooms().Contains(room))
            {
                offences.Add($"{file.Path}:1: there is no room {room}");
            }
            // A file of assembly attributes has no types and no namespace.
            if (file.Types.Count > 0
                && !file.Find(new Regex($@"^namespace {Regex.Escape(expected)};")).Any())
            {
                offences.Add($"{file.Path}:1: expected namespace {expected}");
            }
        }
        AssertNone(offences);
    }

    [Fact]
    public void Types_do_not_bear_the_name_of_a_room()
    {
        AssertNone(s_sources.SelectMany(file => file.Types
            .Where(type => AllRooms().Contains(type.Name))
            .Select(type => $"{file.Path}:{type.Line}: {type.Name} is the name of a room")));
    }

    [Fact]
    public void Unsafe_code_stays_behind_its_fence()
    {
        AssertNone(s_sources
            .Where(file => RoomOf(file) != "Linux" && !s_unsafeFiles.Contains(file.Path))
            .SelectMany(file => file.Find(s_unsafe)
                .Select(hit => $"{file.Path}:{hit.Line}: {hit.Text} outside src/Linux")));
    }

    [Fact]
    public void Functions_fit_on_a_screen()
    {
        AssertNone(s_all.SelectMany(file => file.Functions
            .Where(function => function.LineCount > FunctionLinesMax)
            .Select(function => $"{file.Path}:{function.FirstLine}: {function.LineCount} lines "
                + $"in {function.Head}")));
    }

    [Fact]
    public void Files_are_short_or_say_why_not()
    {
        AssertNone(s_all
            .Where(file => file.Lines.Length > FileLinesMax)
            .Where(file => !file.Lines.Take(40).Any(
                line => line.Contains(LongFileExcuse, StringComparison.Ordinal)))
            .Select(file => $"{file.Path}:1: {file.Lines.Length} lines; split it, or say "
                + $"\"{LongFileExcuse} ...\" in its head"));
    }

    [Fact]
    public void Lines_are_at_most_100_columns_wide()
    {
        AssertNone(s_all.Concat(Scripts()).SelectMany(file => file.Lines
            .Select((line, index) => (line, index))
            .Where(row => row.line.Length > ColumnsMax)
            .Select(row => $"{file.Path}:{row.index + 1}: {row.line.Length} columns")));
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        AssertNone(s_all.Concat(Scripts()).SelectMany(file => file.Lines
            .Select((line, index) => (line, index))
            .Where(row => s_openEnds.IsMatch(row.line))
            .Select(row => $"{file.Path}:{row.index + 1}: {row.line.Trim()}")));
    }

    [Fact]
    public void Every_type_says_what_it_is_for()
    {
        // One part of a partial type speaks for all of them.
        var told = s_sources
            .SelectMany(file => file.Types.Where(type => type.HasSummary)
                .Select(type => (RoomOf(file), type.Name)))
            .ToHashSet();
        AssertNone(s_sources.SelectMany(file => file.Types
            .Where(type => !type.HasSummary)
            .Where(type => !type.IsPartial || !told.Contains((RoomOf(file), type.Name)))
            .Select(type => $"{file.Path}:{type.Line}: {type.Name} has no summary")));
    }

    private static IEnumerable<string> AllRooms() => s_levels.SelectMany(rooms => rooms);

    private static int LevelOf(string room) =>
        Array.FindIndex(s_levels, rooms => rooms.Contains(room));

    private static bool MayUse(string room, string other) => room == other
        || (LevelOf(other) < LevelOf(room) && !(other == "Linux" && s_pureRooms.Contains(room)));

    // "Linux.Libc.X()" compiles inside Conntrackd.Sync without a using: the room's name followed
    // by one of its types is a reference. "Sync.Mode" may be a property and its member.
    private static IEnumerable<(int Line, string Text)> References(SourceFile file, string[] rooms)
    {
        foreach (string room in rooms)
        {
            string types = string.Join('|', s_sources.Where(source => RoomOf(source) == room)
                .SelectMany(source => source.Types).Select(type => type.Name).Distinct());
            string pattern = $@"\bConntrackd\.{room}\b"
                + (types.Length > 0 ? $@"|(?<![\w.]){room}\.({types})\b" : "");
            foreach (var hit in file.Find(new Regex(pattern)))
            {
                yield return hit;
            }
        }
    }

    private static string? RoomOf(SourceFile file)
    {
        string[] parts = file.Path.Split('/');
        return parts.Length > 2 ? parts[1] : null;
    }

    private static List<SourceFile> ReadAll(string folder)
    {
        string root = Repository.Root, path = Path.Combine(root, folder);
        if (!Directory.Exists(path))
        {
            return [];
        }
        return [.. Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories)
            .Select(name => SourceFile.Read(root, name))
            .Where(file => !Regex.IsMatch(file.Path, "/(bin|obj)/"))
            .OrderBy(file => file.Path, StringComparer.Ordinal)];
    }

    private static IEnumerable<SourceFile> Scripts()
    {
        string root = Repository.Root;
        var files = s_scriptFolders.Select(folder => Path.Combine(root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => s_scriptNames.SelectMany(
                name => Directory.EnumerateFiles(folder, name, SearchOption.AllDirectories)))
            .Append(Path.Combine(root, "build.sh"));
        return files.Select(path => SourceFile.Read(root, path));
    }

    private static void AssertNone(IEnumerable<string> offences)
    {
        string[] all = [.. offences];
        Assert.True(all.Length == 0, $"{all.Length} offences:\n" + string.Join('\n', all));
    }
}
