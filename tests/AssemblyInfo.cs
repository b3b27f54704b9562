// Integration tests share the kernel's tables and two cores: one test at a time.
[assembly: Xunit.CollectionBehavior(DisableTestParallelization = true)]
