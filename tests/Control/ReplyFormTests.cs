using Conntrackd.Control;
using Xunit;

namespace Conntrackd.Tests.Control;

/// <summary>What a client sends, taken apart.</summary>
public sealed class ReplyFormTests
{
    [Fact]
    public void Every_request_that_has_a_name_is_known_and_no_other()
    {
        for (uint number = 0; number < 512; number++)
        {
            bool isKnown = ReplyForms.TrySplit(
                number, out ControlRequest request, out ReplyForm form);
            Assert.Equal(Enum.IsDefined((ControlRequest)number), isKnown);
            if (!isKnown) { continue; }
            Assert.Equal((ControlRequest)number, request);
            Assert.Equal(ReplyForm.Original, form);
        }
    }
}
