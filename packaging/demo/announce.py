#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tells the neighbours that an address lives here now.

  announce.py INTERFACE ADDRESS...

A gratuitous ARP request for each IPv4 address (RFC 5944, 4.6), an unsolicited neighbour
advertisement with the override flag for each IPv6 one (RFC 4861, 7.2.6).
"""
import socket
import struct
import sys

ETH_P_ARP = 0x0806
ARP_ETHERNET_IPV4_REQUEST = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
ICMPV6_NEIGHBOUR_ADVERT = 136
OVERRIDE = 0x20000000
OPTION_TARGET_LINK_LAYER = bytes((2, 1))


def hardware_address(interface):
    with open(f"/sys/class/net/{interface}/address", encoding="ascii") as file:
        return bytes.fromhex(file.read().strip().replace(":", ""))


def announce4(interface, address):
    mac, ip = hardware_address(interface), socket.inet_aton(address)
    arp = ARP_ETHERNET_IPV4_REQUEST + mac + ip + bytes(6) + ip
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((interface, 0))
        sock.send(b"\xff" * 6 + mac + struct.pack("!H", ETH_P_ARP) + arp)


def announce6(interface, address):
    body = struct.pack("!BBHI", ICMPV6_NEIGHBOUR_ADVERT, 0, 0, OVERRIDE)
    body += socket.inet_pton(socket.AF_INET6, address)
    body += OPTION_TARGET_LINK_LAYER + hardware_address(interface)
    index = socket.if_nametoindex(interface)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        sock.bind((address, 0))
        sock.sendto(body, ("ff02::1", 0, 0, index))


def main(argv):
    if len(argv) < 2:
        sys.exit(__doc__)
    for address in argv[1:]:
        (announce6 if ":" in address else announce4)(argv[0], address)


if __name__ == "__main__":
    main(sys.argv[1:])
