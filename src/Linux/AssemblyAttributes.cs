using System.Runtime.CompilerServices;

// Every call below passes blittable arguments only; the compiler then rejects anything else.
[assembly: DisableRuntimeMarshalling]
