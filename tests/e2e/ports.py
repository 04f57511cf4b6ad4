"""Ports of loopback that nobody else has.

Two regions, two test runs, or a test and the bench that it runs must never draw the same port, although it
is bound only later, and free again while its daemon is stopped.  So whoever draws a port locks it for as
long as it lives: the byte at the port's number in a file that all share (tools/bench/ports.cc does the
same).  What no lock tells of, a service of the machine's own, is asked of the kernel.  Ports that the kernel
gives to outgoing connections are not drawn: one of those could take the port of a daemon that is stopped.

Environment: MERIDIAN_TEST_PORTS, as 20000-29999, the range to draw from (default: those, or the ten
thousand ports below the first that outgoing connections get, where that is lower).
"""

import fcntl
import os
import pathlib
import random
import socket

LOCKS = "/tmp/meridian-test-ports"
OUTGOING = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")

_file = None
_taken = set()


def outgoing_ports():
    """First and last that the kernel gives to outgoing connections."""
    try:
        low, high = OUTGOING.read_text().split()
    except OSError:
        return 32768, 60999
    return int(low), int(high)


def to_draw_from(wanted, outgoing):
    """The ports of `wanted` ("" for the default) that are not `outgoing`'s."""
    if wanted:
        low, high = (int(port) for port in wanted.split("-"))
    else:
        high = min(29_999, outgoing[0] - 1)
        low = max(1024, high - 9_999)
    return [port for port in range(low, high + 1) if not outgoing[0] <= port <= outgoing[1]]


def _lock(port):
    """Whether this process has the port from now on."""
    global _file
    if _file is None:
        try:
            _file = os.open(LOCKS, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            _file = os.open(LOCKS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            os.fchmod(_file, 0o666)
    if port in _taken:
        return False
    try:
        fcntl.lockf(_file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _taken.add(port)
    return True


def _unlock(port):
    fcntl.lockf(_file, fcntl.LOCK_UN, 1, port)
    _taken.discard(port)


def _unbound(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def take(ports):
    """All of them, or none: whether they are this process's from now on."""
    locked = []
    for port in ports:
        if _lock(port):
            locked.append(port)
        if port not in locked or not _unbound(port):
            for each in locked:
                _unlock(each)
            return False
    return True


def free_port():
    ports = to_draw_from(os.environ.get("MERIDIAN_TEST_PORTS", ""), outgoing_ports())
    random.shuffle(ports)
    for port in ports:
        if take([port]):
            return port
    raise RuntimeError("no free port to draw")


def free_base(regions=3, workers=2):
    """A MERIDIAN_PORT_BASE of deploy/up at which all ports of so many regions are free."""
    outgoing = outgoing_ports()
    # Below those that are drawn singly.
    for base in range(2000, 10_000, 37):
        ports = [base + 8070]
        for i in range(regions):
            ports += [base + port + 100 * i for port in (7000, 8000, 8001, 8080)]
            ports += [base + 9080 + 100 * i + worker for worker in range(workers)]
        if not any(outgoing[0] <= port <= outgoing[1] for port in ports) and take(ports):
            return base
    raise RuntimeError("no free range of ports")
