#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Both halves of a tiny FTP for the lab.

  ftp.py serve               control connections on port 21, IPv4 and IPv6
  ftp.py client HOST LOCAL   driven by lines on stdin, one line on stdout for each:
                               open | say TEXT | port | pasv | retr | check | close

"retr" opens the data connection that "port" (PORT, EPRT) or "pasv" (PASV, EPSV) prepared;
the server then writes a line into it ten times a second, which "check" waits for.
"""
import select
import socket
import sys

PATIENCE = 4.0


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def listen(host, port):
    s = socket.socket(family(host), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((host, port))
    s.listen(16)
    return s


class Control:
    """The server's side of one control connection."""

    def __init__(self, connection):
        self.connection, self.buffer = connection, b""
        self.peer = self.listener = None
        self.say("220 ready")

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def take(self, data):
        """Returns the data connections that the commands opened."""
        opened = []
        self.buffer += data
        while b"\r\n" in self.buffer:
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            word, _, rest = line.decode("latin1").partition(" ")
            opened += self.execute(word, rest)
        return opened

    def execute(self, word, rest):
        if word == "PORT":
            a = rest.split(",")
            self.peer, self.listener = (".".join(a[:4]), int(a[4]) * 256 + int(a[5])), None
            self.say("200 ok")
        elif word == "EPRT":
            _, _, host, port, _ = rest.split("|")
            self.peer, self.listener = (host, int(port)), None
            self.say("200 ok")
        elif word in ("PASV", "EPSV"):
            host = self.connection.getsockname()[0]
            self.listener = listen(host, 0)
            port = self.listener.getsockname()[1]
            self.say(f"229 Entering Extended Passive Mode (|||{port}|)" if word == "EPSV" else
                     "227 Entering Passive Mode (%s,%d,%d)" % (
                         host.replace(".", ","), port >> 8, port & 255))
        elif word == "RETR":
            return self.transfer()
        else:
            self.say("200 noop")
        return []

    def transfer(self):
        try:
            if self.listener:
                self.listener.settimeout(PATIENCE)
                data = self.listener.accept()[0]
            else:
                data = socket.socket(family(self.peer[0]), socket.SOCK_STREAM)
                data.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                data.settimeout(PATIENCE)
                data.bind((self.connection.getsockname()[0], 20))
                data.connect(self.peer)
        except OSError as e:
            self.say(f"425 {e}")
            return []
        data.setblocking(False)
        self.say("150 opened")
        return [data]


def serve():
    listeners = [listen("0.0.0.0", 21), listen("::", 21)]
    controls, transfers = {}, []
    while True:
        ready, _, _ = select.select(listeners + list(controls), [], [], 0.1)
        for s in ready:
            if s in listeners:
                c = s.accept()[0]
                controls[c] = Control(c)
                continue
            try:
                data = s.recv(4096)
            except OSError:
                data = b""
            if data:
                transfers += controls[s].take(data)
            else:
                del controls[s]
                s.close()
        for s in list(transfers):
            try:
                s.send(b"line\n")
            except BlockingIOError:
                pass
            except OSError:
                transfers.remove(s)
                s.close()


class Client:
    def __init__(self, host, local):
        self.host, self.local, self.ipv6 = host, local, ":" in host
        self.control = self.listener = self.data = self.passive = None

    def say(self, text):
        self.control.sendall(text.encode() + b"\r\n")
        return self.control.recv(512).decode("latin1").strip()

    def open(self):
        self.control = socket.create_connection(
            (self.host, 21), timeout=PATIENCE, source_address=(self.local, 0))
        self.control.recv(512)
        return self.say("USER lab")

    def port(self):
        self.passive, self.listener = None, listen(self.local, 0)
        port = self.listener.getsockname()[1]
        return self.say(f"EPRT |2|{self.local}|{port}|" if self.ipv6 else
                        "PORT %s,%d,%d" % (self.local.replace(".", ","), port >> 8, port & 255))

    def pasv(self):
        answer = self.say("EPSV" if self.ipv6 else "PASV")
        inner = answer[answer.index("(") + 1:answer.index(")")]
        if self.ipv6:
            self.passive = int(inner.strip("|"))
        else:
            self.passive = int(inner.split(",")[4]) * 256 + int(inner.split(",")[5])
        return answer

    def retr(self):
        if self.passive is None:
            answer = self.say("RETR x")
            if answer.startswith("150"):
                self.listener.settimeout(PATIENCE)
                self.data = self.listener.accept()[0]
            return answer
        self.control.sendall(b"RETR x\r\n")
        self.data = socket.create_connection(
            (self.host, self.passive), timeout=PATIENCE, source_address=(self.local, 0))
        return self.control.recv(512).decode("latin1").strip()

    def check(self):
        """Reads what is there and waits for two lines that come after it."""
        self.data.settimeout(PATIENCE)
        self.data.setblocking(False)
        try:
            while self.data.recv(65536):
                pass
        except BlockingIOError:
            pass
        self.data.settimeout(PATIENCE)
        return "flowing" if self.data.recv(5) and self.data.recv(5) else "ended"

    def close(self):
        self.data.close()
        return "closed"


def client(host, local):
    one = Client(host, local)
    for line in sys.stdin:
        what, _, rest = line.strip().partition(" ")
        try:
            print(one.say(rest) if what == "say" else getattr(one, what)(), flush=True)
        except OSError as e:
            print(f"error: {e}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve()
    elif sys.argv[1:2] == ["client"]:
        client(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
