#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes what was measured into one folder for this CPU, and prints it.

report.py --aot LINES --jit LINES [--compare TABLE --samples FOLDER] --binary PATH --into FOLDER
          [--readme FILE]
report.py --print-slug

LINES are what the programs of bench/ print: name, tab, nanoseconds, tab, bytes. TABLE is the
output of the testbed that compares with the C daemon. FOLDER/<cpu>/micro.md and compare.md say
on which CPU, kernel, runtime and commit the figures were measured. With --readme the figures
between the two marks of that file are replaced by a selection of them. The samples are kept in
FOLDER/<cpu>/samples. --print-slug says what <cpu> is.
"""
import argparse
import os
import platform
import re
import shutil
import subprocess
import sys

BEGIN, END = "<!-- figures: written by ./build.sh bench -->", "<!-- end of the figures -->"

# What the README quotes: names of loops, and scenario and metric of the comparison.
QUOTED_LOOPS = [
    "kernel event: decode",
    "engine: event to datagram (NOTRACK)",
    "engine: datagram to external cache (NOTRACK)",
    "engines: event to peer's cache and acknowledged (FTFW)",
    "table: find, 1,000,000 flows",
]
QUOTED_METRICS = [
    ("events", r"FTFW/udp fw[12] cpu s/100k.*"),
    ("traffic", r"(fw[12] cpu s/100k|datagrams/)flows?"),
    ("syscalls", r"fw[12] all calls/event"),
    ("memory", r"(internal|external) bytes/entry"),
    ("startup", r"start with \d+ entries s"),
    ("failover", r"commit \d+ s"),
    ("latency", r"\d+/s p(50|99) us"),
    ("overrun", r"converged s.*"),
]


def cpu_name():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def slug():
    return re.sub(r"[^a-z0-9]+", "-", cpu_name().lower()).strip("-")


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def commit():
    name = output_of("git", "rev-parse", "--short=12", "HEAD")
    changes = output_of("git", "status", "--porcelain", "--", "src", "bench", "conntrackd.csproj")
    return name + (" and changes" if changes not in ("", "unknown") else "")


def header(title, binary):
    return "\n".join([
        f"# {title}",
        "",
        f"- CPU: {cpu_name()}, {os.cpu_count()} threads",
        f"- kernel: {platform.release()}",
        f"- runtime: .NET {output_of('dotnet', '--version')} SDK, native AOT {platform.machine()}",
        f"- program: {os.path.getsize(binary)} bytes",
        f"- commit: {commit()}",
        "",
        "",
    ])


def lines_of(path):
    rows = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            cells = line.rstrip("\n").split("\t")
            if len(cells) == 3:
                rows[cells[0]] = cells[1:]
    return rows


def micro(aot, jit):
    table = [
        "Nanoseconds per operation. \"shipped\" is compiled as the daemon is, the best round;",
        "\"JIT\" the best iteration of BenchmarkDotNet. Bytes on the managed heap per 1000 operations,",
        "shipped.",
        "",
        "| loop | shipped, ns | JIT, ns | heap, bytes |",
        "|---|---|---|---|",
    ]
    for name, (nanoseconds, heap) in aot.items():
        compiled_late = jit.get(name, ["–"])[0]
        table.append(f"| {name} | {nanoseconds} | {compiled_late} | {heap} |")
    return "\n".join(table) + "\n"


def quoted_loops(aot, path):
    for name in QUOTED_LOOPS:
        if name in aot:
            yield f"| {name}, ns | – | {aot[name][0]} | [micro.md]({path}/micro.md) |"


def quoted_metrics(text, path):
    scenario = ""
    for line in text.splitlines():
        if line.startswith("## "):
            scenario = line[3:].split(":", 1)[0]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 6 or cells[1] == "-" or cells[3] == "-":
            continue
        if any(scenario == wanted and re.fullmatch(pattern, cells[0])
               for wanted, pattern in QUOTED_METRICS):
            yield (f"| {scenario}: {cells[0]} | {cells[1]} | {cells[3]} "
                   f"| [compare.md]({path}/compare.md) |")


def quote(readme, rows):
    with open(readme, encoding="utf-8") as file:
        text = file.read()
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    table = ["| | the C daemon | this one | from |", "|---|---|---|---|", *rows]
    with open(readme, "w", encoding="utf-8") as file:
        file.write(head + BEGIN + "\n\n" + "\n".join(table) + "\n\n" + END + tail)


def main():
    if sys.argv[1:] == ["--print-slug"]:
        print(slug())
        return
    options = argparse.ArgumentParser()
    for name in ("aot", "jit", "binary", "into"):
        options.add_argument("--" + name, required=True)
    options.add_argument("--compare")
    options.add_argument("--samples")
    options.add_argument("--readme")
    given = options.parse_args()
    folder = os.path.join(given.into, slug())
    os.makedirs(folder, exist_ok=True)
    aot = lines_of(given.aot)
    texts = {"micro.md": header("Hot loops", given.binary) + micro(aot, lines_of(given.jit))}
    rows = list(quoted_loops(aot, folder))
    if given.compare:
        with open(given.compare, encoding="utf-8") as file:
            texts["compare.md"] = header("Beside the C daemon", given.binary) + file.read()
        rows += quoted_metrics(texts["compare.md"], folder)
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        print(text)
    if given.samples:
        kept = os.path.join(folder, "samples")
        os.makedirs(kept, exist_ok=True)
        for name in os.listdir(given.samples):
            shutil.copy(os.path.join(given.samples, name), kept)
    if given.readme:
        quote(given.readme, rows)
    print("written to " + folder)


if __name__ == "__main__":
    main()
