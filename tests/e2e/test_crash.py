"""kill -9 of each daemon in turn under load: nothing that was acknowledged is lost."""

import time

import pytest

from load import Writer, contents, lost

SHARED = [f"s{n:03}" for n in range(200)]


def own_keys(index):
    return [f"own{index}-{n:03}" for n in range(100)]


def test_kill_each_daemon_in_turn(orders, load_seconds):
    # Acceptance 4.  Half of each writer's writes go to keys of its own, where the last acknowledged
    # value must be the final one; the other half to keys that all regions write.
    writers = [Writer(f"w{i}", r.address("table"), "Orders", SHARED, own_keys(i))
               for i, r in enumerate(orders)]
    for writer in writers:
        writer.start()
    pause = load_seconds / 20
    try:
        for region in orders:
            for process in (region.node, region.replicator):
                time.sleep(pause)
                process.kill()
                time.sleep(pause)
                process.start()
        time.sleep(pause)
    finally:
        for writer in writers:
            writer.ending.set()
    for writer in writers:
        writer.finish()
        assert writer.acknowledged > 100, f"{writer.name}: {writer.acknowledged} {writer.refused}"
    orders.wait_identical("Orders", 60)
    found = {r.name: contents(r.address("table"), "Orders") for r in orders}
    assert not lost(writers, found, SHARED)


@pytest.mark.parametrize("daemon", ["node", "replicator"])
def test_kill_one_daemon_again_and_again(orders, load_seconds, daemon):
    # Short lives catch what is only wrong in the first moments after a start.
    victim = getattr(orders[1], daemon)
    writers = [Writer(f"w{i}", r.address("table"), "Orders", SHARED, own_keys(i), seed=1)
               for i, r in enumerate(orders)]
    for writer in writers:
        writer.start()
    try:
        end = time.monotonic() + load_seconds / 2
        while time.monotonic() < end:
            victim.kill()
            victim.start(wait=False)
            time.sleep(0.4)
        victim.wait_ready()
    finally:
        for writer in writers:
            writer.ending.set()
    for writer in writers:
        writer.finish()
    orders.wait_identical("Orders", 60)
    found = {r.name: contents(r.address("table"), "Orders") for r in orders}
    assert not lost(writers, found, SHARED)


def test_stop_nodes_again_and_again_under_load(orders, load_seconds):
    # An orderly end in the middle of everything: exit code 0 each time, whatever was under way.
    writers = [Writer(f"w{i}{j}", r.address("table"), "Orders", SHARED, own_keys(f"{i}{j}"), seed=3)
               for i, r in enumerate(orders) for j in range(3)]
    for writer in writers:
        writer.start()
    try:
        end = time.monotonic() + load_seconds / 2
        turn = 0
        while time.monotonic() < end:
            time.sleep(0.3)
            node = orders[turn % 3].node
            assert node.stop() == 0, node.log_tail()
            node.start()
            turn += 1
    finally:
        for writer in writers:
            writer.ending.set()
    for writer in writers:
        writer.finish()
    orders.wait_identical("Orders", 60)
    found = {r.name: contents(r.address("table"), "Orders") for r in orders}
    assert not lost(writers, found, SHARED)


def test_all_regions_die_at_once(orders):
    # Power loss of everything: what was acknowledged is on disk, and replication goes on.
    writers = [Writer(f"w{i}", r.address("table"), "Orders", SHARED, own_keys(i), seed=2)
               for i, r in enumerate(orders)]
    for writer in writers:
        writer.start()
    time.sleep(2)
    for process in orders.processes():
        process.kill()
    for writer in writers:
        writer.finish()
    for process in orders.processes():
        process.start(wait=False)
    for process in orders.processes():
        process.wait_ready()
    orders.wait_identical("Orders", 60)
    found = {r.name: contents(r.address("table"), "Orders") for r in orders}
    assert not lost(writers, found, SHARED)
