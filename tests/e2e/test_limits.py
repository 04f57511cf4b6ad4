"""Too few file descriptors, too little memory: what is there goes on, or ends in order; nothing is lost."""

import os
import pathlib
import re
import resource
import socket
import threading
import time

import pytest

from cluster import wait_until
from fastclient import Client, NotSent, Refused, Unknown
from load import Load, key_of

LINK_BYTES_MAX = 16 << 20  # SinkLink::kBytesMax: in flight to one peer
WRITER_CACHE_BYTES = 256 << 20  # StoreOptions::cache_bytes
QUEUED_BATCH_BYTES_MAX = 64 << 20  # StoreOptions::queue_batch_bytes_max
ITEM_BYTES = 300_000


def open_files(process):
    return len(os.listdir(f"/proc/{process.popen.pid}/fd"))


def limit(process, what, most):
    hard = resource.prlimit(process.popen.pid, what)[1]
    resource.prlimit(process.popen.pid, what, (most, hard))


def status_bytes(process, field):
    """VmRSS, VmSize, ... of /proc."""
    text = pathlib.Path(f"/proc/{process.popen.pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB$", text, re.MULTILINE).group(1)) * 1024


class Crowd:
    """Connections that say nothing and take every descriptor that a process may still open."""

    def __init__(self, process, address, spare=4):
        self.process = process
        host, port = address.split(":")
        self.address = host, int(port)
        self.most = open_files(process) + spare

    def __enter__(self):
        limit(self.process, resource.RLIMIT_NOFILE, self.most)
        # The kernel completes what the process does not accept.
        self.sockets = [socket.create_connection(self.address, timeout=5) for _ in range(60)]
        self.wait_full()
        return self

    def wait_full(self):
        """Until every descriptor is taken, and stays so: a connection under way takes one for a moment."""
        def full():
            for _ in range(8):
                if open_files(self.process) < self.most:
                    return False
                time.sleep(0.05)
            return True
        wait_until(full, 20, "no descriptor is left")

    def __exit__(self, *_):
        for one in self.sockets:
            one.close()


def test_node_without_descriptors(orders):
    victim = orders[0]
    with Load(orders, pause=0.002) as load:
        load.wait_progress()
        with Crowd(victim.node, victim.address("table")) as crowd:
            # A peer loses its connection and cannot make another; those who have one go on.
            orders[1].replicator.kill()
            crowd.wait_full()
            orders[1].replicator.start()
            orders.wait_ageing("Orders", orders[1], victim)
            load.wait_progress()
            assert victim.node.running()
        wait_until(victim.node.ready, 30, "it answers newcomers again")
        load.wait_progress()
    load.settle()
    lines = victim.node.log().count("accept_failed")
    assert 0 < lines < 20, f"{lines} lines about failed accepts"


def test_replicator_without_descriptors(orders):
    victim = orders[0].replicator
    with Load(orders, pause=0.002) as load:
        load.wait_progress()
        with Crowd(victim, orders[0].address("replicator")) as crowd:
            orders[1].node.kill()  # its connection gives a descriptor back, and the crowd takes it
            crowd.wait_full()
            orders[1].node.start()
            orders.wait_ageing("Orders", orders[0], orders[1])
            load.wait_progress()
            assert victim.running()
        wait_until(victim.ready, 30, "it answers newcomers again")
        load.wait_progress()
    load.settle()


def put_large(region, count, keys=None):
    client = Client(region.address("table"), timeout=60)
    try:
        for number in range(count):
            client.call("PutItem", {"TableName": "Orders", "Item": {
                **key_of(f"large{number % (keys or count)}"),
                "v": {"S": f"{number}-" + "x" * ITEM_BYTES}}})
    finally:
        client.close()


def test_memory_is_bounded_while_a_peer_stands_still(orders, long):
    source, stopped = orders[0], orders[2]
    put_large(source, 20)
    orders.wait_identical("Orders", 30)
    watched = {p.name: p for p in (source.node, source.replicator, orders[1].node)}
    before = {name: status_bytes(p, "VmRSS") for name, p in watched.items()}
    stopped.node.pause()
    try:
        put_large(source, 2000 if long else 500)
        wait_until(lambda: orders.link("Orders", source, orders[1])["pending_records"] == 0, 120,
                   "the other peer has everything")
        grown = {name: status_bytes(p, "VmRSS") - before[name] for name, p in watched.items()}
    finally:
        stopped.node.resume()
    # Twice: what is in flight is there as a message and as what it was made from.
    assert grown[source.replicator.name] < 2 * 2 * LINK_BYTES_MAX, grown
    for node in (source.node, orders[1].node):
        assert grown[node.name] < 2 * (WRITER_CACHE_BYTES + QUEUED_BATCH_BYTES_MAX), grown
    orders.wait_identical("Orders", 120)


def hammer(address, ending, accepted):
    """Large batches over a connection of its own, whatever the answers are; notes those accepted."""
    client = Client(address, timeout=20)
    number = 0
    while not ending.is_set():
        number += 1
        try:
            client.call("BatchWriteItem", {"RequestItems": {"Orders": [
                {"PutRequest": {"Item": {**key_of(f"b{threading.get_ident()}-{i}"),
                                         "v": {"S": f"{number}-" + "x" * 390_000}}}}
                for i in range(25)]}})
            accepted.append(number)
        except (NotSent, Unknown, Refused):
            pass
    client.close()


@pytest.mark.parametrize("daemon", ["node", "replicator"])
def test_memory_runs_out(orders, daemon):
    victim = getattr(orders[0], daemon)
    ending, accepted = threading.Event(), []
    threads = [threading.Thread(target=hammer,
                                args=(orders[0].address("table"), ending, accepted))
               for _ in range(6)]
    with Load(orders, pause=0.002) as load:
        load.wait_progress()
        orders[2].node.pause()  # makes the replicator hold as much as it may
        limit(victim, resource.RLIMIT_DATA, status_bytes(victim, "VmData") + (1 << 20))
        for thread in threads:
            thread.start()
        try:
            # A replicator may also manage with the memory that it had already.
            wait_until(lambda: not victim.running() or not victim.ready()
                       or daemon == "replicator" and len(accepted) >= 20, 60,
                       "it ends, or says that it is not ready")
        finally:
            ending.set()
            for thread in threads:
                thread.join()
            orders[2].node.resume()
        if victim.running():
            victim.kill()
        else:
            assert victim.popen.returncode == 3, f"{victim.popen.returncode}\n{victim.log_tail()}"
            assert "out of memory" in victim.log_tail()
        victim.start()
        load.wait_progress()
    load.settle(seconds=120)
