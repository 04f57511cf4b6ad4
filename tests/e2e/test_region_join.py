"""A region joins a running deployment: the others read their settings again, and nobody is restarted."""

import signal

import pytest
from botocore.exceptions import ClientError

from cluster import Cluster, wait_until
from load import Load, key_of


def reload(regions):
    for region in regions:
        region.node.signal(signal.SIGHUP)
        region.replicator.signal(signal.SIGHUP)


def wait_logged(regions, text):
    for region in regions:
        for process in (region.node, region.replicator):
            wait_until(lambda: text in process.log(), 10, f"{process.name} logs {text}")


@pytest.fixture
def pair_and_newcomer(tmp_path):
    made = Cluster(tmp_path, count=3)
    for region, other in ((made[0], made[1]), (made[1], made[0])):
        region.write_config([other])
    with made:
        made.create_global_table("Orders", regions=made.regions[:2])
        yield made
        assert not made.deaths()


def test_a_region_joins_and_nobody_is_restarted(pair_and_newcomer):
    made = pair_and_newcomer
    old, newcomer = made.regions[:2], made[2]
    pids = [process.popen.pid for process in made.processes()]
    with Load(made, old, seed=3, pause=0.005) as load:
        load.wait_progress()
        with pytest.raises(ClientError) as refused:
            made[0].client().update_table(
                TableName="Orders", ReplicaUpdates=[{"Create": {"RegionName": newcomer.name}}])
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        for region in old:
            region.write_config([other for other in made if other is not region])
        reload(old)
        wait_logged(old, f"peer_added region={newcomer.name}")
        done = made.cli("replica", "add", "Orders", newcomer.name)
        assert done.returncode == 0, done.stderr
        load.wait_progress()
    load.settle()
    made.wait_identical("Orders", 30)
    newcomer.client().put_item(TableName="Orders",
                               Item={**key_of("from the newcomer"), "v": {"S": "1"}})
    for region in old:
        wait_until(lambda: "Item" in region.client().get_item(
            TableName="Orders", Key=key_of("from the newcomer")), 20, "it replicates from there")
    assert [process.popen.pid for process in made.processes()] == pids
    assert all(process.running() for process in made.processes())


def test_wrong_settings_change_nothing(pair_and_newcomer):
    made = pair_and_newcomer
    old = made.regions[:2]
    for region in old:
        for name in ("region-node.yaml", "replicator.yaml"):
            settings = region.folder / name
            settings.write_text(settings.read_text() + "no_such_setting: 1\n")
    reload(old)
    wait_logged(old, "reload_failed")
    made[0].client().put_item(TableName="Orders", Item={**key_of("after"), "v": {"S": "1"}})
    wait_until(lambda: "Item" in made[1].client().get_item(
        TableName="Orders", Key=key_of("after")), 20, "replication goes on")
    # What an address has become takes a restart, and says so.
    for region in old:
        region.write_config([other for other in old if other is not region])
        for name in ("region-node.yaml", "replicator.yaml"):
            settings = region.folder / name
            settings.write_text(settings.read_text().replace(
                f"address: {next(o for o in old if o is not region).peer_address()}",
                "address: 127.0.0.1:1"))
    reload(old)
    wait_logged(old, "peer_not_changed")
    made[0].client().put_item(TableName="Orders", Item={**key_of("still"), "v": {"S": "1"}})
    wait_until(lambda: "Item" in made[1].client().get_item(
        TableName="Orders", Key=key_of("still")), 20, "replication goes on")
