"""A full disk, on a small file system of its own: refusals that say why, no loss, recovery by itself."""

import re

import pytest
from botocore.exceptions import ClientError

from cluster import Cluster, http_get, wait_until
from load import Load, contents, key_of
from machine import SmallDisk

DATA_MIB = 24  # a WAL of 8 MiB fits, but not the ballast beside it
CHECKPOINT_MIB = 1


def accepts(region, name):
    try:
        region.client().put_item(TableName="Orders", Item={
            **key_of(name), "v": {"S": "x" * 20_000}})
        return True
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500, error.response  # retryable
        return False


@pytest.fixture
def small_data(tmp_path):
    """Three regions; the third's data lies on a small disk."""
    made = Cluster(tmp_path)
    with SmallDisk(made[2].data_dir, DATA_MIB) as disk, made:
        made.create_global_table("Orders")
        yield made, disk
        assert not made.deaths()


def test_data_directory_is_full(small_data):
    made, disk = small_data
    full = made[2]
    with Load(made, pause=0.002) as load:
        load.wait_progress()
        disk.fill(leave_kib=512)
        wait_until(lambda: not accepts(full, "filler"), 60, "a write is refused")
        disk.fill()
        status, reason = http_get(full.admin_url("/readyz"))
        assert status == 503 and "disk full" in reason
        assert contents(full.address("table"), "Orders")  # reads go on
        # The others' clients notice nothing; what is for the full region waits at its source.
        others = load.writers[:2]
        before = [w.acknowledged for w in others]
        row = made.wait_ageing("Orders", made[0], full)
        assert row["pending_records"] > 0
        wait_until(lambda: all(w.acknowledged >= b + 50 for w, b in zip(others, before)), 30,
                   "the other regions' clients go on")
        assert load.writers[2].refused, "the writer in the full region was never refused"
        disk.make_room()
        wait_until(lambda: http_get(full.admin_url("/readyz"))[0] == 200, 30, "it looks by itself")
        load.wait_progress()
    load.settle()


def test_node_dies_while_its_disk_is_full(small_data):
    # It starts on a full disk or says why not; with room again it has all that it acknowledged.
    made, disk = small_data
    full = made[2]
    with Load(made, pause=0.002) as load:
        load.wait_progress()
        disk.fill(leave_kib=512)
        wait_until(lambda: not accepts(full, "filler"), 60, "a write is refused")
        disk.fill()
        full.node.kill()
        full.node.start(wait=False)
        
        def settled():
            status, text = http_get(full.admin_url("/readyz"))
            return not full.node.running() or status and "starting" not in text
        wait_until(settled, 30, "it starts or ends")
        if not full.node.running():
            assert full.node.popen.returncode == 1, full.node.log_tail()
            assert re.search("start_failed.*(full|disk)", full.node.log())
            disk.make_room()
            full.node.start()
        else:
            assert contents(full.address("table"), "Orders")
            disk.make_room()
        wait_until(lambda: accepts(full, "filler"), 30, "writes are accepted again")
    load.settle()


def failed_saves(region):
    text = http_get(region.replicator_url("/metrics"))[1]
    return int(float(re.search(r"^meridian_replicator_checkpoint_saves_failed_total (\S+)$", text,
                               re.MULTILINE).group(1)))


def test_checkpoint_directory_is_full(tmp_path):
    # A checkpoint is a hint that saves a question: without a place for it everything goes on.
    made = Cluster(tmp_path)
    source = made[0]
    with SmallDisk(source.folder / "checkpoints", CHECKPOINT_MIB) as disk, made:
        made.create_global_table("Orders")
        with Load(made, pause=0.002) as load:
            load.wait_progress()
            disk.fill()
            wait_until(lambda: failed_saves(source) > 0, 30, "a save fails, and is counted")
            load.wait_progress()
            assert source.replicator.ready()
            source.replicator.kill()  # with the disk full still
            source.replicator.start()
            load.wait_progress()
            disk.make_room()
            load.wait_progress()
        load.settle()
        # What is acknowledged is saved now: the next start finds a checkpoint of every flow that moved.
        assert source.replicator.stop() == 0
        source.replicator.start()
        loaded = re.findall(r"replicator_starting.* checkpoints=(\d+)", source.replicator.log())
        assert int(loaded[-1]) >= 2, loaded
        assert not made.deaths()
