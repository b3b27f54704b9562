namespace Conntrackd.Sync;

/// <summary>How a bulk ended at one peer of our own kind.</summary>
/// <param name="Peer">Who has it.</param>
/// <param name="Sent">Flows that were sent.</param>
/// <param name="Missing">Of these, found no place there.</param>
internal readonly record struct BulkResult(Peer Peer, uint Sent, uint Missing);
