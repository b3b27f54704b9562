using Conntrackd.Config;
using Conntrackd.Daemon;
using Xunit;

namespace Conntrackd.Tests.Daemon;

public sealed class KeepalivedTextTests
{
    [Fact]
    public void Groups_and_instances_track_the_file()
    {
        string text = KeepalivedText.Render(new VrrpOptions
        {
            Notify = "/run/a.fifo",
            TrackFile = "/run/a.sync",
            Groups = [new VrrpGroupName("FW", true), new VrrpGroupName("VI_1", false)],
        });
        Assert.Contains("\tvrrp_notify_fifo /run/a.fifo root\n", text);
        Assert.Contains("track_file conntrackd_sync {\n\tfile \"/run/a.sync\"\n", text);
        Assert.Contains("\nvrrp_sync_group FW {\n", text);
        Assert.Contains("\nvrrp_instance VI_1 {\n", text);
        Assert.Equal(2, text.Split("\ttrack_file {\n\t\tconntrackd_sync\n\t}\n").Length - 1);
    }

    [Fact]
    public void Without_a_track_file_nothing_is_tracked() =>
        Assert.DoesNotContain("track_file", KeepalivedText.Render(new VrrpOptions
        {
            Groups = [new VrrpGroupName("FW", true)],
        }));
}
