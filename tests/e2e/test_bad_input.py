"""Clients and peers that mean harm, against real processes under load: everybody else is served, memory
stays bounded, nothing is lost, and no process ends."""

import random
import re
import socket
import struct
import time

import pytest

from cluster import Cluster, http_get, wait_until
from load import Writer, contents, lost

KEYS = [f"k{n}" for n in range(200)]
# What all of the hostile connections of a test together may cost a process.
GROWTH_BYTES_MAX = 300 * 1024 * 1024
TARGET = b"X-Amz-Target: DynamoDB_20120810.PutItem\r\n"


def connect(region, port):
    return socket.create_connection(("127.0.0.1", region.ports[port]), timeout=10)


def send(connection, data):
    """True unless the other side has had enough."""
    try:
        connection.sendall(data)
        return True
    except OSError:
        return False


def memory_bytes(process):
    with open(f"/proc/{process.popen.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def metric(region, name):
    """Value of a metric without labels; 0 when it is not there."""
    _, page = http_get(region.admin_url("/metrics"))
    found = re.search(rf"^{name} (\S+)$", page, re.MULTILINE)
    return float(found.group(1)) if found else 0


@pytest.fixture
def busy(tmp_path):
    """Two regions with a global table, each with a writer; judged when the test is over."""
    with Cluster(tmp_path, count=2) as pair:
        pair.create_global_table("Orders")
        writers = [Writer(f"w{i}", r.address("table"), "Orders", KEYS) for i, r in enumerate(pair)]
        for writer in writers:
            writer.start()
        wait_until(lambda: min(w.acknowledged for w in writers) > 100, 30, "the writers write")
        before = {p.name: memory_bytes(p) for p in pair.processes()}
        yield pair
        done = [w.acknowledged for w in writers]
        wait_until(lambda: all(w.acknowledged > d + 100 for w, d in zip(writers, done)), 30,
                   "the writers go on writing")
        for writer in writers:
            writer.finish()
            assert not writer.refused
        for process in pair.processes():
            assert process.running(), process.log_tail(30)
            assert memory_bytes(process) - before[process.name] < GROWTH_BYTES_MAX
        pair.wait_identical("Orders", 60)
        found = {r.name: contents(r.address("table"), "Orders") for r in pair}
        assert not lost(writers, found, KEYS, slack_seconds=1.0)


def test_hostile_clients(busy):
    region = busy[0]
    rng = random.Random(1)
    kept = []
    # Those that say nothing, stop in the head, or stop in the body; all stay open.
    for number in range(900):
        connection = connect(region, "table")
        if number % 3 == 1:
            send(connection, b"POST / HTTP/1.1\r\nX-Slow: ")
        if number % 3 == 2:
            send(connection, b"POST / HTTP/1.1\r\n" + TARGET + b"Content-Length: 100000\r\n\r\n" +
                 b"x" * 50_000)
        kept.append(connection)
    # Large bodies, too large ones, and answers that nobody reads.
    for _ in range(10):
        with connect(region, "table") as large:
            send(large, b"POST / HTTP/1.1\r\nContent-Length: 17000000\r\n\r\n" + b"x" * 17_000_000)
        with connect(region, "table") as endless:
            send(endless, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 5_000_000)
        with connect(region, "table") as nested:
            body = b'{"TableName":"Orders","Item":' + b'{"M":' * 100_000
            send(nested, b"POST / HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s"
                 % (TARGET, len(body), body))
    # Noise and resets.
    for number in range(300):
        connection = connect(region, "streams" if number % 2 else "table")
        send(connection, rng.choice([b"", b"POST / HTTP/1.1\r\n", TARGET]) +
             rng.randbytes(rng.randrange(4000)))
        if number % 3:  # a reset rather than an orderly end
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    for connection in kept:
        connection.send(b"x")
    # Meanwhile the writers have gone on; `busy` judges.
    time.sleep(1)
    for connection in kept:
        connection.close()


def test_hostile_peers(busy):
    region = busy[1]
    rng = random.Random(2)
    # Segments of up to 8 MB that are announced and never come.
    kept = [connect(region, "peer") for _ in range(100)]
    for number, connection in enumerate(kept):
        if number % 2:
            send(connection, struct.pack("<II", 0, 1_000_000))
    for number in range(500):
        with connect(region, "peer") as connection:
            if number % 4 == 0:
                data = rng.randbytes(rng.randrange(2000))
            elif number % 4 == 1:
                data = bytes(rng.randrange(4) for _ in range(400))
            elif number % 4 == 2:
                data = struct.pack("<II", rng.getrandbits(32), rng.getrandbits(32)) + bytes(800)
            else:
                data = b"GET / HTTP/1.1\r\n\r\n"
            send(connection, data)
    # More than there is room for: whoever says nothing is dropped after a while, so that the region's
    # own replicator, which has to connect again, gets in.
    flood = [connect(region, "peer") for _ in range(300)]
    wait_until(lambda: metric(region, "meridian_peer_connections") >= 256, 30, "all places are taken")
    region.replicator.stop()
    region.replicator.start(wait=False)
    wait_until(lambda: metric(region, "meridian_peer_strangers_dropped_total") >= 200, 60,
               "silent connections are dropped")
    for connection in kept + flood:
        connection.close()
