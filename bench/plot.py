#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Draws what the comparison measured and writes its tables into docs/performance.md.

plot.py RESULTS DOCS

Reads RESULTS/<cpu>/samples/*.json (bench.py --json), of the CPU measured last. Writes
DOCS/plots/*.svg and, in DOCS/performance.md, what stands between the marks of each table.
"""
import glob
import json
import math
import os
import re
import statistics
import sys

C, OURS, FLOOR = "A", "B", "limit"
COLOURS = {C: "#b3432b", OURS: "#1f6fb2", FLOOR: "#7a7a7a"}
NAMES = {C: "conntrack-tools 1.4.7", OURS: "this one", FLOOR: "floor"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 340, 64, 16, 40, 52

# Scenario, metric, what the reader sees, the goal as a ratio or None.
RATIOS = [
    ("events", "FTFW/udp fw1 cpu s/100k", "events FTFW, CPU of the sender", 0.40),
    ("events", "FTFW/udp fw2 cpu s/100k", "events FTFW, CPU of the receiver", 0.75),
    ("events", "NOTRACK/udp fw1 cpu s/100k", "events NOTRACK, sender", 0.45),
    ("events", "NOTRACK/udp fw2 cpu s/100k", "events NOTRACK, receiver", 0.75),
    ("events", "ALARM/udp fw1 cpu s/100k", "events ALARM, sender", 0.45),
    ("events", "ALARM/udp fw2 cpu s/100k", "events ALARM, receiver", 0.75),
    ("events", "FTFW/multicast fw1 cpu s/100k", "events multicast, sender", 0.45),
    ("events", "FTFW/multicast fw2 cpu s/100k", "events multicast, receiver", 0.75),
    ("traffic", "fw1 cpu s/100k flows", "forwarded packets, CPU of the sender", 0.50),
    ("traffic", "fw2 cpu s/100k flows", "forwarded packets, CPU of the receiver", 0.50),
    ("traffic", "datagrams/flow", "datagrams per flow", 0.33),
    ("syscalls", "fw1 all calls/event", "system calls per event", 0.13),
    ("memory", "internal bytes/entry", "memory per flow, internal cache", 0.27),
    ("memory", "external bytes/entry", "memory per flow, external cache", 0.27),
    ("startup", "start with 500000 entries s", "start with 500,000 flows", 0.60),
    ("startup", "-B bulk send 500000 s", "send 500,000 flows (-B)", 1.2),
    ("startup", "-n request 500000 s", "ask for 500,000 flows (-n)", 1.2),
    ("failover", "commit 500000 s", "commit 500,000 flows", 0.50),
    ("dump", "-i s", "list 500,000 flows (-i)", 0.40),
    ("dump", "-e s", "list 500,000 flows (-e)", 0.40),
    ("latency", "1000/s p50 us", "latency, median, 1,000 flows/s", 1.1),
    ("latency", "10000/s p50 us", "latency, median, 10,000 flows/s", 1.5),
    ("latency", "50000/s p50 us", "latency, median, 50,000 flows/s", 1.2),
    ("latency", "50000/s p99 us", "latency, 99 %, 50,000 flows/s", 1.0),
    ("burst", "converged s (or limit)", "burst of 100,000 flows, equal after", 0.7),
    ("overrun", "converged s (or limit)", "overrun, 100,000 flows, equal after", None),
    ("maxrate", "sustained events/s", "sustained events/s", None),
]


def load(folder):
    """{file: {scenario: {daemon: {metric: median}}}}"""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            results = json.load(file)["results"]
        name = os.path.basename(path)[:-len(".json")]
        found[name] = {}
        for scenario, samples in results.items():
            medians = found[name].setdefault(scenario, {})
            for daemon in (C, OURS, FLOOR):
                rows = samples.get(daemon) or []
                keys = {key for row in rows for key in row}
                medians[daemon] = {
                    key: statistics.median(row[key] for row in rows if key in row)
                    for key in keys}
    return found


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def power(value):
    """10000 as 10k."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:g}{name}"
    return f"{value:g}"


class Chart:
    """A line chart with a logarithmic horizontal axis, from pieces of SVG."""

    def __init__(self, title, across, up, log_up=False):
        self.title, self.across, self.up, self.log_up = title, across, up, log_up
        self.lines = []

    def add(self, label, colour, points, dashed=False):
        points = sorted((x, y) for x, y in points if x > 0 and y is not None and y > 0)
        if points:
            self.lines.append((label, colour, points, dashed))

    def scale(self):
        xs = [x for line in self.lines for x, _ in line[2]]
        ys = [y for line in self.lines for _, y in line[2]]
        x0, x1 = math.log10(min(xs)), math.log10(max(xs))
        y0 = math.floor(math.log10(min(ys))) if self.log_up else 0
        y1 = math.ceil(math.log10(max(ys))) if self.log_up else max(ys) * 1.1

        def place(x, y):
            y = math.log10(y) if self.log_up else y
            return (LEFT + (math.log10(x) - x0) / max(x1 - x0, 1e-9) * (WIDTH - LEFT - RIGHT),
                    HEIGHT - BOTTOM - (y - y0) / max(y1 - y0, 1e-9) * (HEIGHT - TOP - BOTTOM))
        ticks = ([10.0 ** n for n in range(int(y0), int(y1) + 1)] if self.log_up
                 else [y1 * n / 5 for n in range(6)])
        return place, sorted(set(xs)), ticks

    def svg(self):
        place, xs, ticks = self.scale()
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
               'font-family="sans-serif" font-size="12">',
               f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
               f'<text x="{LEFT}" y="20" font-size="14">{self.title}</text>']
        for y in ticks:
            at = place(xs[0], y)[1] if y or not self.log_up else HEIGHT - BOTTOM
            out.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                       f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{number(y)}</text>')
        last = -100
        for x in xs:
            at = place(x, ticks[-1])[0]
            if at - last >= 40:
                out.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" '
                           f'text-anchor="middle">{power(x)}</text>')
                last = at
        out.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{self.across}'
                   f' &#8211; {self.up}</text>')
        for i, (label, colour, points, dashed) in enumerate(self.lines):
            path = "L".join("{:.1f} {:.1f}".format(*place(x, y)) for x, y in points)
            style = ' stroke-dasharray="5 4"' if dashed else ""
            out.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{style}/>')
            for x, y in points:
                out.append('<circle cx="{:.1f}" cy="{:.1f}" r="2.5" fill="{}"/>'
                           .format(*place(x, y), colour))
            out.append(f'<path d="M{LEFT + 10} {TOP + 8 + 16 * i}h20" stroke="{colour}" '
                       f'stroke-width="2"{style}/><text x="{LEFT + 36}" '
                       f'y="{TOP + 12 + 16 * i}">{label}</text>')
        return "\n".join([*out, "</svg>", ""])


def bars(title, rows):
    """One bar a row: name, ratio, goal or None. Grey is what the original needs."""
    step, left, width = 18, 270, 900
    height = 60 + step * len(rows)
    unit = (width - left - 90) / 1.25
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="#fff"/>',
           f'<text x="10" y="20" font-size="14">{title}</text>',
           f'<path d="M{left + unit:.1f} 32V{height - 10}" stroke="#999"/>'
           f'<text x="{left + unit:.1f}" y="28" text-anchor="middle">as the original</text>']
    for i, (name, ratio, goal) in enumerate(rows):
        y = 38 + step * i
        out.append(f'<text x="{left - 8}" y="{y + 11}" text-anchor="end">{name}</text>'
                   f'<rect x="{left}" y="{y}" width="{min(ratio, 1.25) * unit:.1f}" height="13" '
                   f'fill="{COLOURS[OURS]}"/>')
        if goal is not None and goal <= 1.25:
            at = left + goal * unit
            out.append(f'<path d="M{at:.1f} {y - 1}v15" stroke="#000" stroke-width="2"/>')
        out.append(f'<text x="{left + min(ratio, 1.25) * unit + 6:.1f}" y="{y + 11}" '
                   f'stroke="#fff" stroke-width="3" paint-order="stroke">{ratio:.2f}</text>')
    return "\n".join([*out, "</svg>", ""])


def value(found, scenario, metric, daemon):
    for name, results in found.items():
        if re.match(r"(rate|size)-", name):
            continue
        got = results.get(scenario, {}).get(daemon, {}).get(metric)
        if got is not None:
            return got
    return None


def comparison(found):
    """Rows of the bar chart and of its table."""
    rows, table = [], ["| | original | this one | ratio | goal | floor |", "|---|---|---|---|---|---|"]
    for scenario, metric, name, goal in RATIOS:
        theirs, ours = (value(found, scenario, metric, daemon) for daemon in (C, OURS))
        if theirs is None or ours is None:
            continue
        ratio = ours / theirs if theirs else 0
        floor = value(found, scenario, metric, FLOOR)
        if metric != "sustained events/s":
            rows.append((name, ratio, goal))
        table.append(f"| {name} | {number(theirs)} | {number(ours)} | {ratio:.2f} | "
                     f"{'' if goal is None else f'≤ {goal:.2f}'} | "
                     f"{'' if floor is None else number(floor)} |")
    return rows, table


def rates(found):
    """CPU an event against the rate, both nodes; the chart and its table."""
    chart = Chart("CPU for one event, both firewalls together", "events a second",
                  "microseconds an event")
    points = {C: [], OURS: [], FLOOR: []}
    for name, results in found.items():
        if not name.startswith("rate-"):
            continue
        for daemon, metrics in results.get("events", {}).items():
            both = [metrics.get(f"FTFW/udp {node} cpu s/100k") for node in ("fw1", "fw2")]
            if None not in both:
                points[daemon].append((int(name[5:]), sum(both) * 1e6 / 3e5))
    for daemon, line in points.items():
        chart.add(NAMES[daemon], COLOURS[daemon], line, dashed=daemon == FLOOR)
    return chart, two_columns("events/s", points, "us an event")


def sizes(found, scenario, metric, title, up):
    """A metric with {n} in it against the table's size."""
    chart = Chart(title, "flows", up, log_up=True)
    points = {C: [], OURS: [], FLOOR: []}
    for name, results in found.items():
        if not name.startswith("size-"):
            continue
        for daemon, metrics in results.get(scenario, {}).items():
            # A program measured alone is in the first column: it is ours.
            owner = OURS if name == "size-4000000" else daemon
            for key, got in metrics.items():
                match = re.fullmatch(metric, key)
                if match:
                    points[owner].append((int(match.group(1)), got))
    for daemon, line in points.items():
        chart.add(NAMES[daemon], COLOURS[daemon], line, dashed=daemon == FLOOR)
    return chart, two_columns("flows", points, up)


def two_columns(head, points, unit):
    table = [f"| {head} | original, {unit} | this one | floor |", "|---|---|---|---|"]
    lines = {daemon: dict(line) for daemon, line in points.items()}
    for x in sorted({x for line in lines.values() for x in line}):
        cells = [number(lines[d][x]) if x in lines[d] else "" for d in (C, OURS, FLOOR)]
        table.append(f"| {x:,} | " + " | ".join(cells) + " |")
    return table


def replace(path, name, lines):
    """Puts lines between <!-- table NAME --> and <!-- end -->."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    mark = re.compile(rf"(<!-- table {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not mark.search(text):
        sys.exit(f"plot.py: {path}: no mark 'table {name}'")
    with open(path, "w", encoding="utf-8") as file:
        file.write(mark.sub(lambda m: m.group(1) + "\n".join(["", *lines, "", ""]) + m.group(2), text))


def main():
    results, docs = sys.argv[1:]
    folders = glob.glob(os.path.join(results, "*", "samples"))
    if not folders:
        sys.exit(f"plot.py: no samples below {results}")
    found = load(max(folders, key=os.path.getmtime))
    plots = os.path.join(docs, "plots")
    os.makedirs(plots, exist_ok=True)
    page = os.path.join(docs, "performance.md")

    def draw(name, text):
        with open(os.path.join(plots, name + ".svg"), "w", encoding="utf-8") as file:
            file.write(text)
        print("drawn: " + os.path.join(plots, name + ".svg"))

    rows, table = comparison(found)
    if rows:
        draw("compare", bars("This one beside the original; black marks: the goals", rows))
        replace(page, "compare", table)
    for name, (chart, table) in {
            "rate": rates(found),
            "memory": sizes(found, "memory", r"(\d+) internal PSS MB",
                            "Memory of the daemon with an internal cache", "megabytes"),
            "commit": sizes(found, "failover", r"commit (\d+) s", "Commit", "seconds"),
            "start": sizes(found, "startup", r"start with (\d+) entries s", "Start", "seconds"),
    }.items():
        if chart.lines:
            draw(name, chart.svg())
            replace(page, name, table)


if __name__ == "__main__":
    main()
