"""What flows alone cannot bring together again, the regions repair by themselves."""

import re
import shutil

import yaml
from botocore.exceptions import ClientError

from cluster import Cluster, wait_until
from load import contents, key_of

LOG_BOUND = 1 << 20


def bounded(tmp_path, count=3):
    """Regions that keep a megabyte of log for a peer that does not acknowledge it."""
    made = Cluster(tmp_path, count=count)
    for region in made:
        settings = region.folder / "region-node.yaml"
        settings.write_text(settings.read_text() + yaml.safe_dump(
            {"unacknowledged_bytes_max": LOG_BOUND}))
    return made


def put(region, name, value="x"):
    region.client().put_item(TableName="Orders", Item={**key_of(name), "v": {"S": value}})


def remove(region, name):
    region.client().delete_item(TableName="Orders", Key=key_of(name))


def held(region):
    return contents(region.address("table"), "Orders")


def isolate(cluster, one, other):
    for source, sink in ((one, other), (other, one)):
        cluster.cli_json("link", "cut", "--from", source.name, "--to", sink.name, "--for", "1h")


def heal(cluster, one, other):
    for source, sink in ((one, other), (other, one)):
        cluster.cli_json("link", "heal", "--from", source.name, "--to", sink.name)


def repairs(*regions):
    """What the regions say of the repairs that they began."""
    lines = [line for region in regions for line in region.node.log().splitlines()
             if " info repaired " in line]
    return [{name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
            for line in lines]


def test_outage_past_the_log_bound_is_repaired(tmp_path):
    with bounded(tmp_path) as made:
        made.create_global_table("Orders")
        here, bystander, there = made
        for number in range(200):
            put(here, f"before-{number}")
        made.wait_identical("Orders", 30)

        isolate(made, here, there)
        # Twice the bound: no write is refused, and the other peer gets them all.
        for number in range(110):
            put(here, f"here-{number}", "x" * 20_000)
        for number in range(40):
            remove(here, f"before-{number}")
        for number in range(60):
            put(there, f"there-{number}")
        for number in range(40, 80):
            remove(there, f"before-{number}")
        wait_until(lambda: "here-109" in held(bystander), 30, "the other link goes on")
        wait_until(lambda: "cut_loose" in here.node.log(), 5, "it is said")

        heal(made, here, there)
        wait_until(lambda: repairs(here, there), 60, "the two are repaired")
        made.wait_identical("Orders", 60)
        expected = ({f"before-{n}" for n in range(80, 200)} | {f"here-{n}" for n in range(110)}
                    | {f"there-{n}" for n in range(60)})
        for region in made:
            assert set(held(region)) == expected
        # (What was deleted or written there may have come by its own flow, which was never cut loose.)
        moved = sum(r["fetched"] + r["sent"] for r in repairs(here, there))
        assert 0 < moved <= 250
        # Its flows go on.
        put(here, "after")
        remove(here, "here-0")
        put(there, "after-there")
        wait_until(lambda: {"after", "after-there"} <= set(held(there)), 15, "the flow goes on")
        made.wait_identical("Orders", 30)
        assert "here-0" not in held(there)
        assert not made.deaths()


def test_a_region_that_is_down_does_not_stop_the_others_writes(tmp_path):
    with bounded(tmp_path) as made:
        made.create_global_table("Orders")
        made[2].node.stop()
        for number in range(110):
            put(made[0], f"c-{number}", "x" * 20_000)
        made[2].node.start()
        made.wait_identical("Orders", 60)
        assert len(held(made[2])) == 110
        assert not made.deaths()


def test_a_restored_copy_is_told_what_it_has_forgotten(tmp_path):
    made = Cluster(tmp_path)
    with made:
        made.create_global_table("Orders")
        old, one, other = made
        for number in range(60):
            put(old, f"k-{number}")
        made.wait_identical("Orders", 30)
        old.node.stop()
        old.replicator.stop()
        shutil.copytree(old.data_dir, tmp_path / "copy")
        old.node.start()
        old.replicator.start()
        for number in range(20):
            remove(old, f"k-{number}")
        for number in range(20, 40):
            put(old, f"k-{number}", "new")
        made.wait_identical("Orders", 30)
        # The machine dies, and what is restored is older than all that.
        old.node.kill()
        old.replicator.kill()
        shutil.rmtree(old.data_dir)
        shutil.copytree(tmp_path / "copy", old.data_dir)
        put(one, "meanwhile")
        old.node.start()
        old.replicator.start()
        wait_until(lambda: "log_lost" in old.node.log(), 30, "it notices")
        made.wait_identical("Orders", 60)
        values = {f"k-{n}": "new" if n < 40 else "x" for n in range(20, 60)} | {"meanwhile": "x"}

        def right():
            return all(held(region) == values for region in made)
        wait_until(right, 10, "nothing is lost, nothing has come back")

        def writes():
            try:
                put(old, "again")
                return True
            except ClientError:
                return False
        wait_until(writes, 30, "it takes writes")
        wait_until(lambda: "again" in held(one) and "again" in held(other), 15, "and ships them")
        assert not made.deaths()
