"""kill -9 of each daemon in turn under load: nothing that was acknowledged is lost."""

import time

import pytest

from load import Load


def test_kill_each_daemon_in_turn(orders, load_seconds):
    # Acceptance 4.
    pause = load_seconds / 20
    with Load(orders, shared=200, own=100) as load:
        for region in orders:
            for process in (region.node, region.replicator):
                time.sleep(pause)
                process.kill()
                time.sleep(pause)
                process.start()
        time.sleep(pause)
    for writer in load.writers:
        assert writer.acknowledged > 100, f"{writer.name}: {writer.acknowledged} {writer.refused}"
    load.settle()


@pytest.mark.parametrize("daemon", ["node", "replicator"])
def test_kill_one_daemon_again_and_again(orders, load_seconds, daemon):
    # Short lives catch what is only wrong in the first moments after a start.
    victim = getattr(orders[1], daemon)
    with Load(orders, seed=1) as load:
        end = time.monotonic() + load_seconds / 2
        while time.monotonic() < end:
            victim.kill()
            victim.start(wait=False)
            time.sleep(0.4)
        victim.wait_ready()
    load.settle()


def test_stop_nodes_again_and_again_under_load(orders, load_seconds):
    # An orderly end in the middle of everything: exit code 0 each time, whatever was under way.
    with Load(orders, per_region=3, seed=3) as load:
        end = time.monotonic() + load_seconds / 2
        turn = 0
        while time.monotonic() < end:
            time.sleep(0.3)
            node = orders[turn % 3].node
            assert node.stop() == 0, node.log_tail()
            node.start()
            turn += 1
    load.settle()


def test_all_regions_die_at_once(orders):
    # Power loss of everything: what was acknowledged is on disk, and replication goes on.
    with Load(orders, seed=2) as load:
        time.sleep(2)
        for process in orders.processes():
            process.kill()
    for process in orders.processes():
        process.start(wait=False)
    for process in orders.processes():
        process.wait_ready()
    load.settle()
