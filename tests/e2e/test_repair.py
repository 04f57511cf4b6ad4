"""What flows alone cannot bring together again, the regions repair by themselves."""

import json
import os
import re
import shutil
import sqlite3
import threading
import time
import urllib.request

import pytest
import yaml
from botocore.exceptions import ClientError

from cluster import Cluster, http_get, wait_until
from load import Load, key_of
from machine import SmallDisk
from orders import held, put, remove
from test_drain import drain, watermark

LOG_BOUND = 1 << 20


def bounded(tmp_path, count=3):
    """Regions that keep a megabyte of log for a peer that does not acknowledge it."""
    made = Cluster(tmp_path, count=count)
    for region in made:
        settings = region.folder / "region-node.yaml"
        settings.write_text(settings.read_text() + yaml.safe_dump(
            {"unacknowledged_bytes_max": LOG_BOUND}))
    return made


def isolate(cluster, one, other):
    for source, sink in ((one, other), (other, one)):
        cluster.cli_json("link", "cut", "--from", source.name, "--to", sink.name, "--for", "1h")


def heal(cluster, one, other):
    for source, sink in ((one, other), (other, one)):
        cluster.cli_json("link", "heal", "--from", source.name, "--to", sink.name)


def repairs(region, peer=None):
    """What a region says of the repairs that it began; with one peer, if it is named."""
    lines = [line for line in region.node.log().splitlines()
             if " info repaired " in line and (peer is None or f" peer={peer.name} " in line)]
    return [{name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
            for line in lines]


def all_is_proven(cluster):
    """Every region confirms to every other one what it has, and goes on doing so while nothing is written."""
    pairs = [(one, other) for one in cluster for other in cluster if one is not other]
    for source, sink in pairs:
        drain(cluster, source, sink, "--wait", "30s")
    before = {(sink, origin): watermark(sink, origin) for origin, sink in pairs}
    told = {(row["source"], row["sink"]): row["watermark_us"]
            for row in cluster.cli_json("lag")["links"]}
    for (sink, origin), then in before.items():
        wait_until(lambda: watermark(sink, origin) > then, 30,
                   f"the watermark of {origin.name} in {sink.name} moves on")

    def lag_tells():
        return all(row["watermark_us"] > told[row["source"], row["sink"]]
                   for row in cluster.cli_json("lag")["links"])
    wait_until(lag_tells, 30, "meridian lag says so")


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
        def of_the_two():
            return repairs(here, there) + repairs(there, here)
        wait_until(of_the_two, 60, "the two are repaired")
        made.wait_identical("Orders", 60)
        expected = ({f"before-{n}" for n in range(80, 200)} | {f"here-{n}" for n in range(110)}
                    | {f"there-{n}" for n in range(60)})
        for region in made:
            assert set(held(region)) == expected
        # (What was deleted or written there may have come by its own flow, which was never cut loose,
        # or from the bystander: who is silent for long makes the others repair with each other.)
        moved = sum(r["fetched"] + r["sent"] for r in of_the_two())
        assert 0 < moved <= 250
        # Its flows go on.
        put(here, "after")
        remove(here, "here-0")
        put(there, "after-there")
        wait_until(lambda: {"after", "after-there"} <= set(held(there)), 15, "the flow goes on")
        made.wait_identical("Orders", 30)
        assert "here-0" not in held(there)
        all_is_proven(made)
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


def test_a_region_that_takes_no_rows_does_not_hold_up_another(tmp_path):
    made = bounded(tmp_path)
    here, other, full = made
    assert full.name < other.name  # it is the first in turn
    with SmallDisk(full.data_dir, 48) as disk, made:
        made.create_global_table("Orders")
        for peer in (other, full):
            isolate(made, here, peer)
        for number in range(110):
            put(here, f"here-{number}", "x" * 20_000)
        disk.fill()
        with pytest.raises(ClientError):
            for number in range(1000):
                put(full, f"full-{number}", "x" * 20_000)
        for peer in (other, full):
            heal(made, here, peer)
        # (The full region's log is no reason for that: it is cut loose as well, and stays so.)
        wait_until(lambda: len([k for k in held(other) if k.startswith("here-")]) == 110, 60,
                   "the other region is repaired")
        assert not [key for key in held(full) if key.startswith("here-")]
        assert " repair_not_possible " in here.node.log()
        disk.make_room()
        made.wait_identical("Orders", 60)
        assert not made.deaths()


def test_a_repair_is_shown_while_it_lasts(tmp_path):
    with bounded(tmp_path, count=2) as made:
        made.create_global_table("Orders")
        here, there = made
        there.node.stop()
        for number in range(150):
            put(here, f"k-{number}", "x" * 20_000)
        wait_until(lambda: "cut_loose" in here.node.log(), 5, "the log is at its bound")
        # Over a slow line it takes seconds.
        made.cli_json("link", "limit", "--from", here.name, "--to", there.name, "--rate", "500kB/s",
                      "--for", "1h")
        there.node.start()

        def shown():
            rows = [made.link("Orders", here, there), made.link("Orders", there, here)]
            return all(row["state"] == "repairing" for row in rows) and rows

        def running():
            page = "".join(http_get(region.admin_url("/metrics"))[1] for region in made)
            return re.findall(r'^meridian_repair_running{.*} (\S+)$', page, re.MULTILINE)
        rows = wait_until(shown, 60, "both links say so")
        assert sorted(running()) == ["0", "1"], "of the region that began it"
        assert all(here.name in row["reason"] and there.name in row["reason"] for row in rows), rows
        made.cli_json("link", "heal", "--from", here.name, "--to", there.name)
        made.wait_identical("Orders", 60)
        wait_until(lambda: not shown(), 30, "it is over")
        assert running() == ["0", "0"]
        assert not made.deaths()


def copy_then_write_on(made, region, copy):
    """A copy of the region's data, of which everybody has 20 deletes and 20 updates afterwards."""
    region.node.stop()
    region.replicator.stop()
    shutil.copytree(region.data_dir, copy)
    region.node.start()
    region.replicator.start()
    for number in range(20):
        remove(region, f"k-{number}")
    for number in range(20, 40):
        put(region, f"k-{number}", "new")
    made.wait_identical("Orders", 30)


def test_a_restored_copy_is_told_what_it_has_forgotten(tmp_path):
    made = Cluster(tmp_path)
    with made:
        made.create_global_table("Orders")
        old, one, other = made
        for number in range(60):
            put(old, f"k-{number}")
        made.wait_identical("Orders", 30)
        copy_then_write_on(made, old, tmp_path / "copy")
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
        all_is_proven(made)  # and nothing is written meanwhile

        def writes():
            try:
                put(old, "again")
                return True
            except ClientError:
                return False
        wait_until(writes, 30, "it takes writes")
        wait_until(lambda: "again" in held(one) and "again" in held(other), 15, "and ships them")
        assert not made.deaths()


def damage(region, name):
    """Changes a value behind the store's back, as a bad disk would."""
    database = sqlite3.connect(region.data_dir / "store.db")
    with database:
        table = next(row[0] for row in database.execute(
            "SELECT name FROM sqlite_schema WHERE name GLOB 'item_[0-9]*'"))
        marker = name.encode()
        changed = 0
        for number, image in database.execute(f"SELECT id, image FROM {table}").fetchall():
            if image is not None and marker in image:
                database.execute(f"UPDATE {table} SET image = ? WHERE id = ?",
                                 (image.replace(b"right", b"wrong"), number))
                changed += 1
        assert changed == 1
    database.close()


def test_verify_repairs_what_nothing_else_would_notice(tmp_path):
    with Cluster(tmp_path) as made:
        made.create_global_table("Orders")
        for number in range(100):
            put(made[0], f"k-{number:03}", "right")
        made.wait_identical("Orders", 30)
        made[1].node.stop()
        damage(made[1], "k-042")
        made[1].node.start()
        code, report = made.verify("Orders")
        assert code == 1 and report["differing"] == 1
        with Load(made, made.regions[:1], pause=0.01) as load:  # online
            load.wait_progress()
            done = made.cli("verify", "Orders", "--repair", "-o", "json", timeout=120)
            load.wait_progress()
        report = json.loads(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(report["repairs"]) == 3 and all(pair["done"] for pair in report["repairs"])
        assert sum(pair["rows"] for pair in report["repairs"]) >= 1
        load.settle()
        values = [held(region)["k-042"] for region in made]
        assert len(set(values)) == 1
        watched = made.cli("verify", "Orders", "--watch", "--every", "200ms", "--rounds", "3",
                           "-o", "json")
        assert watched.returncode == 0
        rounds = [json.loads(line) for line in watched.stdout.splitlines()]
        assert [each["identical"] for each in rounds] == [True] * 3
        assert not made.deaths()


def test_survivors_of_a_dead_region_trade_what_they_hold_of_it(tmp_path):
    with Cluster(tmp_path) as made:
        made.create_global_table("Orders")
        one, dead, other = made
        put(dead, "before")
        made.wait_identical("Orders", 30)
        made.cli_json("link", "cut", "--from", dead.name, "--to", other.name, "--for", "1h")
        for number in range(30):
            put(dead, f"last-{number}")
        wait_until(lambda: "last-29" in held(one), 15, "one survivor is reached")
        assert "last-0" not in held(other)
        dead.node.kill()
        dead.replicator.kill()
        wait_until(lambda: held(other) == held(one), 90, "the other is told by the survivor")
        assert len(held(other)) == 31
        assert not made.deaths()


def fill(region, first, count, value):
    client = region.client()
    for start in range(first, first + count, 25):
        client.batch_write_item(RequestItems={"Orders": [
            {"PutRequest": {"Item": {**key_of(f"k-{n:08}"), "v": {"S": value}}}}
            for n in range(start, min(start + 25, first + count))]})


def test_only_what_differs_is_exchanged(tmp_path):
    # 1 % of the rows changed on each side, evenly spread; 1 KB a row.
    count = 200_000 if os.environ.get("MERIDIAN_LONG") else 5_000
    with Cluster(tmp_path, count=2) as made:
        made.create_global_table("Orders")
        fill(made[0], 0, count, "x" * 1000)
        made.wait_identical("Orders", 60 + count / 500)
        for region in made:
            region.replicator.stop()
        for number in range(0, count, 100):
            put(made[0], f"k-{number:08}", "y" * 1000)
            if number % 1000 == 0:
                remove(made[1], f"k-{number + 50:08}")
            else:
                put(made[1], f"k-{number + 50:08}", "z" * 1000)
        done = made.cli("verify", "Orders", "--repair", "-o", "json", timeout=120 + count / 100)
        assert done.returncode == 0, done.stdout + done.stderr
        report = json.loads(done.stdout)
        (pair,) = report["repairs"]
        assert report["identical"] and pair["rows"] == count // 50
        size = count * 1000
        print(f"{count} rows of 1 KB, {pair['rows']} mended: {pair['bytes']} bytes exchanged, "
              f"{100 * pair['bytes'] / size:.2f} % of the table, in {pair['ms']} ms")
        assert pair["bytes"] <= 0.05 * size


def test_a_directory_of_an_ended_life_is_refused(tmp_path):
    """A directory that was taken for lost turns up when another has taken its place."""
    with Cluster(tmp_path) as made:
        made.create_global_table("Orders")
        moved, *others = made
        put(moved, "first")
        made.wait_identical("Orders", 30)
        old, new = tmp_path / "old", tmp_path / "new"

        def exchange(keep_as, take):
            moved.node.stop()
            moved.replicator.stop()
            moved.data_dir.rename(keep_as)
            if take:
                take.rename(moved.data_dir)
            else:
                moved.data_dir.mkdir()
            moved.node.start()
            moved.replicator.start()

        def serves(key):
            try:
                return key in held(moved)
            except Exception:  # noqa: BLE001 - it serves nobody until it is whole
                return False

        exchange(old, None)
        wait_until(lambda: serves("first"), 60, "the empty one is filled")
        put(moved, "second")
        made.wait_identical("Orders", 60)
        began = [each.node.log().count("region_began_anew") for each in others]
        refused = [each.node.log().count("identity_conflict") for each in others]

        exchange(new, old)
        wait_until(lambda: all(each.node.log().count("identity_conflict") > before
                               for each, before in zip(others, refused)), 30, "the old one is refused")
        put(others[0], "third")
        wait_until(lambda: "third" in held(others[1]), 20, "the others go on")
        time.sleep(5)  # several rounds in which they might take it in
        assert [each.node.log().count("region_began_anew") for each in others] == began

        exchange(old, new)
        wait_until(lambda: serves("third"), 60, "the newer one is let in again")
        made.wait_identical("Orders", 60)
        assert not made.deaths()


def test_a_lost_data_directory_is_filled_again(tmp_path):
    with Cluster(tmp_path) as made:
        made.create_global_table("Orders")
        lost, one, other = made
        for number in range(120):
            put(made[number % 3], f"k-{number}")
        made.wait_identical("Orders", 30)
        for number in range(40):
            remove(made[number % 3], f"k-{number}")
        made.wait_identical("Orders", 30)
        # One survivor has what the other has not heard of.
        made.cli_json("link", "cut", "--from", lost.name, "--to", other.name, "--for", "1h")
        put(lost, "last")
        wait_until(lambda: "last" in held(one), 15, "one survivor has it")
        lost.node.kill()
        lost.replicator.kill()
        shutil.rmtree(lost.data_dir)
        lost.data_dir.mkdir()
        remove(one, "k-40")
        put(other, "meanwhile")
        lost.node.start()
        lost.replicator.start()
        expected = {f"k-{n}" for n in range(41, 120)} | {"last", "meanwhile"}

        def whole():
            try:
                return set(held(lost)) == expected
            except Exception:  # noqa: BLE001 - it serves nobody until it is whole
                return False
        wait_until(whole, 60, "it is filled")
        wait_until(lambda: set(held(one)) == set(held(other)) == expected, 60,
                   "nothing has come back, and the survivors have told each other")
        assert "region_began_anew" in one.node.log() + other.node.log()
        put(lost, "again")
        remove(lost, "k-41")
        wait_until(lambda: "again" in held(one) and "again" in held(other), 20, "it ships again")
        made.wait_identical("Orders", 60)
        assert "k-41" not in held(other)
        assert not made.deaths()


def test_one_region_is_restored_while_another_is_filled_again(tmp_path):
    # The lost one may wait for the restored one to be its seed, and that to be told what it has forgotten.
    with Cluster(tmp_path) as made:
        made.create_global_table("Orders")
        lost, whole, old = made
        assert old.name < whole.name, "it is the first that is asked"
        for number in range(60):
            put(made[number % 3], f"k-{number}")
        made.wait_identical("Orders", 30)
        copy_then_write_on(made, old, tmp_path / "copy")
        for region in (old, lost):
            region.node.kill()
            region.replicator.kill()
            shutil.rmtree(region.data_dir)
        shutil.copytree(tmp_path / "copy", old.data_dir)
        lost.data_dir.mkdir()
        put(whole, "meanwhile")
        for region in (old, lost):
            region.node.start()
            region.replicator.start()
        values = {f"k-{n}": "new" if n < 40 else "x" for n in range(20, 60)} | {"meanwhile": "x"}

        def right():
            try:
                return all(held(region) == values for region in made)
            except Exception:  # noqa: BLE001 - it serves nobody until it is whole
                return False
        wait_until(right, 60, "nothing is lost, nothing has come back")
        assert "log_lost" in old.node.log()

        def writes(region):
            try:
                put(region, f"again-{region.name}")
                return True
            except ClientError:
                return False
        for region in made:
            wait_until(lambda: writes(region), 30, f"{region.name} takes writes")
        made.wait_identical("Orders", 60)
        all_is_proven(made)
        assert not made.deaths()


def test_a_region_falls_silent_while_it_is_compared(tmp_path, monkeypatch):
    """What is asked of it beside the comparison fails first: the comparison must end with it."""
    monkeypatch.setenv("MALLOC_PERTURB_", "165")  # whoever goes on with freed memory does not get far
    rows = 120_000  # six seconds at the pace of a comparison
    with Cluster(tmp_path, count=2) as made:
        made.create_global_table("Orders")
        silent, comparing = made  # by name the second comes first
        threads = [threading.Thread(target=fill, args=(silent, n * rows // 4, rows // 4, "x"))
                   for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        made.wait_identical("Orders", 60)
        comparing.node.stop()
        comparing.node.start()

        def status():
            answer = json.loads(http_get(comparing.admin_url("/v1/repairs"))[1])["repairs"]
            return answer[0] if answer else {"doing": "", "scrub": None}
        wait_until(lambda: status()["doing"] == "scrub", 30, "it compares")
        # Its first answer comes at once, and then it waits, so as to keep its pace: that is to be met.
        time.sleep(1)
        silent.node.pause()
        asked = comparing.admin_url(f"/v1/tables/Orders/repair?peer={silent.name}")
        urllib.request.urlopen(urllib.request.Request(asked, data=b"", method="POST"), timeout=5)
        wait_until(lambda: "repair_not_possible" in comparing.node.log(), 30, "the question fails")
        silent.node.resume()
        wait_until(lambda: repairs(comparing), 60, "it is repaired as was asked")
        wait_until(lambda: status()["scrub"], 60, "and compared to the end")
        assert not made.deaths()
