#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Live connections for the demo and the tests: every byte that comes back is checked.

  traffic.py serve PORT...                 echo TCP and UDP, IPv4 and IPv6
  traffic.py drive REPORT CLASS=PROTO,HOST,PORT,COUNT...
                                           keep COUNT connections of each class busy
  traffic.py table REPORT...               what became of them; exit status 1 unless all live

PROTO is tcp (a record of 200 bytes every 50 ms), udp (the same as datagrams) or bulk (TCP, as
much as BULK_BYTES_PER_SECOND). "drive" obeys signals: USR1 = the failure happens now, USR2 = write
the report, TERM = write it and leave. All connections are open when REPORT appears.

A connection lives if data sent after the failure has come back unchanged and is still coming
back. TCP answers are compared with what was sent, byte by byte. UDP answers carry the address and
port the echo server saw: if these change, address translation was lost and the flow counts as
dead.
"""
import json
import os
import select
import signal
import socket
import struct
import sys
import time

RECORD_BYTES = 200
RECORD_SECONDS = 0.05
BULK_BYTES_PER_SECOND = 1_000_000
BULK_AHEAD_MAX = 64 * 1024   # bytes sent and not yet come back
TICK_SECONDS = 0.01
STALLED_SECONDS = 2.0        # nothing for so long before the report: not alive
PATTERN = bytes((i * 131 + (i >> 8) * 17) & 0xff for i in range(65521))  # prime: no alignment
UDP_HEAD = struct.Struct("!QQ")  # connection, sequence


def pattern(position, count):
    start = position % len(PATTERN)
    data = PATTERN[start:start + count]
    while len(data) < count:
        data += PATTERN[:count - len(data)]
    return data


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


# ---- the answering side ----

class EchoServer:
    def __init__(self, ports):
        self.epoll = select.epoll()
        self.listeners, self.datagrams, self.streams = {}, {}, {}
        for port in ports:
            for family in (socket.AF_INET, socket.AF_INET6):
                self.add(self.listeners, family, socket.SOCK_STREAM, port)
                self.add(self.datagrams, family, socket.SOCK_DGRAM, port)

    def add(self, table, family, kind, port):
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
        if kind == socket.SOCK_STREAM:
            sock.listen(1024)
        sock.setblocking(False)
        table[sock.fileno()] = sock
        self.epoll.register(sock.fileno(), select.EPOLLIN)

    def run(self):
        while True:
            for fd, _ in self.epoll.poll():
                if fd in self.listeners:
                    self.accept(self.listeners[fd])
                elif fd in self.datagrams:
                    self.answer(self.datagrams[fd])
                else:
                    self.echo(fd)

    def accept(self, listener):
        sock, _ = listener.accept()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.streams[sock.fileno()] = (sock, bytearray())
        self.epoll.register(sock.fileno(), select.EPOLLIN)

    @staticmethod
    def answer(sock):
        try:
            data, peer = sock.recvfrom(4096)
            sock.sendto(data[:RECORD_BYTES] + f"{peer[0]} {peer[1]}".encode(), peer)
        except OSError:
            pass  # a lost datagram; the driver notices

    def echo(self, fd):
        sock, waiting = self.streams[fd]
        try:
            if len(waiting) < 4 * BULK_AHEAD_MAX:
                data = sock.recv(65536)
                if not data:
                    raise ConnectionResetError
                waiting += data
        except BlockingIOError:
            pass
        except OSError:
            return self.close(fd)
        try:
            while waiting:
                del waiting[:sock.send(waiting)]
        except BlockingIOError:
            pass
        except OSError:
            return self.close(fd)
        self.epoll.modify(fd, select.EPOLLIN | (select.EPOLLOUT if waiting else 0))

    def close(self, fd):
        self.epoll.unregister(fd)
        self.streams.pop(fd)[0].close()


# ---- the asking side ----

class Connection:
    """One connection: what was sent, what came back, when, and the longest wait for it."""

    def __init__(self, name, proto, host, port, number):
        self.name, self.proto, self.number = name, proto, number
        kind = socket.SOCK_DGRAM if proto == "udp" else socket.SOCK_STREAM
        self.sock = socket.socket(family_of(host), kind)
        self.sock.settimeout(10)
        self.sock.connect((host, port))
        self.sock.setblocking(False)
        if kind == socket.SOCK_STREAM:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fault = None
        self.sent = self.received = 0            # bytes, or datagrams
        self.sent_at_failure = None
        self.seen = None                         # UDP: our address as the server sees it
        now = time.monotonic()
        self.next_send = now + (number % 10) * RECORD_SECONDS / 10
        self.last = now
        self.longest = 0.0
        self.allowance, self.allowed_at = 0.0, now

    def mark_failure(self, now):
        self.sent_at_failure = self.sent
        self.longest, self.last = 0.0, now

    def send(self, now):
        if self.fault or now < self.next_send:
            return
        try:
            if self.proto == "bulk":
                self.send_bulk(now)
                return
            self.next_send = max(self.next_send + RECORD_SECONDS, now)
            if self.proto == "udp":
                head = UDP_HEAD.pack(self.number, self.sent)
                self.sent += 1
                self.sock.send(head + pattern(self.sent, RECORD_BYTES - UDP_HEAD.size))
            else:
                self.sent += self.sock.send(pattern(self.sent, RECORD_BYTES))
        except BlockingIOError:
            pass
        except OSError as error:
            self.fail(error)

    def send_bulk(self, now):
        self.allowance += (now - self.allowed_at) * BULK_BYTES_PER_SECOND
        self.allowance, self.allowed_at = min(self.allowance, BULK_AHEAD_MAX), now
        count = int(min(self.allowance, BULK_AHEAD_MAX - (self.sent - self.received)))
        if count > 0:
            count = self.sock.send(pattern(self.sent, count))
            self.sent += count
            self.allowance -= count

    def receive(self, now):
        try:
            while True:
                data = self.sock.recv(65536)
                if not data:
                    self.fault = "closed by the other side"
                    return
                if self.proto == "udp":
                    self.check_datagram(data, now)
                else:
                    self.check_stream(data, now)
        except BlockingIOError:
            pass
        except OSError as error:
            self.fail(error)

    def check_stream(self, data, now):
        if data != pattern(self.received, len(data)):
            self.fault = self.fault or f"wrong data near byte {self.received}"
        self.received += len(data)
        self.heard(now, self.received)

    def check_datagram(self, data, now):
        if len(data) <= RECORD_BYTES:
            self.fault = self.fault or "short answer"
            return
        number, sequence = UDP_HEAD.unpack_from(data)
        expected = pattern(sequence + 1, RECORD_BYTES - UDP_HEAD.size)
        if number != self.number or data[UDP_HEAD.size:RECORD_BYTES] != expected:
            self.fault = self.fault or "wrong data"
        seen = data[RECORD_BYTES:].decode()
        if self.seen not in (None, seen):
            self.fault = self.fault or f"translation changed from {self.seen} to {seen}"
        self.seen = seen
        self.received = max(self.received, sequence + 1)
        self.heard(now, self.received)

    def heard(self, now, upto):
        # After the failure only the answer to what was sent after it ends the silence: what was
        # still queued behind the firewall proves nothing.
        if self.sent_at_failure is None or upto > self.sent_at_failure:
            self.longest = max(self.longest, now - self.last)
            self.last = now

    def fail(self, error):
        # A firewall without state may answer UDP with an error: the flow goes on asking.
        if self.proto != "udp":
            self.fault = self.fault or os.strerror(error.errno or 0).lower()

    def report(self, now):
        silence = max(self.longest, now - self.last)
        stalled = now - self.last > STALLED_SECONDS
        fault = self.fault or ("silent" if stalled else None)
        return {"class": self.name, "alive": fault is None, "fault": fault,
                "silence": round(silence, 3), "received": self.received}


def drive(report_path, specs):
    mark, write, leave = [], [], []
    signal.signal(signal.SIGUSR1, lambda *_: mark.append(1))
    signal.signal(signal.SIGUSR2, lambda *_: write.append(1))
    signal.signal(signal.SIGTERM, lambda *_: leave.append(1))
    connections = []
    for spec in specs:
        name, rest = spec.split("=")
        proto, host, port, count = rest.split(",")
        for _ in range(int(count)):
            try:
                connections.append(
                    Connection(name, proto, host, int(port), len(connections)))
            except OSError as error:
                sys.exit(f"traffic: {name}: no connection to {host} port {port}: {error}")
    epoll = select.epoll()
    by_fd = {c.sock.fileno(): c for c in connections}
    for fd in by_fd:
        epoll.register(fd, select.EPOLLIN)
    write.append(1)
    while True:
        for fd, _ in epoll.poll(TICK_SECONDS):
            by_fd[fd].receive(time.monotonic())
            if by_fd[fd].fault and by_fd[fd].proto != "udp":
                epoll.unregister(fd)
        now = time.monotonic()
        for connection in connections:
            connection.send(now)
        if mark:
            mark.clear()
            for connection in connections:
                connection.mark_failure(now)
        if write or leave:
            write.clear()
            with open(report_path + ".new", "w", encoding="ascii") as file:
                json.dump([c.report(now) for c in connections], file)
            os.replace(report_path + ".new", report_path)
        if leave:
            return


# ---- the result ----

def table(paths):
    classes, faults = {}, {}
    for path in paths:
        with open(path, encoding="ascii") as file:
            for row in json.load(file):
                classes.setdefault(row["class"], []).append(row)
                if row["fault"]:
                    key = (row["class"], row["fault"].split(" from ")[0])
                    faults[key] = faults.get(key, 0) + 1
    rows = [r for group in classes.values() for r in group]
    print(f"{'connections':14} {'open':>5} {'alive':>6} {'longest silence':>16}")
    for name, group in [*classes.items(), ("all", rows)]:
        alive = [r for r in group if r["alive"]]
        silence = f"{max(r['silence'] for r in alive):.2f} s" if alive else "-"
        print(f"{name:14} {len(group):5} {len(alive):6} {silence:>16}")
    for (name, fault), count in faults.items():
        print(f"  {name}: {count} x {fault}")
    return 0 if rows and all(r["alive"] for r in rows) else 1


def main(argv):
    if len(argv) >= 2 and argv[0] == "serve":
        EchoServer([int(port) for port in argv[1:]]).run()
    elif len(argv) >= 3 and argv[0] == "drive":
        drive(argv[1], argv[2:])
    elif len(argv) >= 2 and argv[0] == "table":
        return table(argv[1:])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
