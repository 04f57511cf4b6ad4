"""Files that are not what was written: a clear error and an orderly end, or refusals that say why;
never a signal, and nothing silently wrong."""

import os
import re
import shutil
import sqlite3

import pytest

from cluster import http_get, wait_until
from fastclient import Client, Refused
from load import Load, contents, key_of

PAGE = 8192


def put(region, names, size=10):
    table = region.client()
    for name in names:
        table.put_item(TableName="Orders", Item={**key_of(name), "v": {"S": f"{name}-" + "x" * size}})


def overwrite(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


DAMAGES = {
    "header of zeros": lambda p: overwrite(p, 0, bytes(100)),
    "one flipped byte of the magic": lambda p: overwrite(p, 3, b"x"),
    "no database at all": lambda p: p.write_bytes(os.urandom(3 * PAGE)),
    "half of the file": lambda p: os.truncate(p, p.stat().st_size // 2),
    "the first page only": lambda p: os.truncate(p, PAGE),
    "the schema is garbage": lambda p: overwrite(p, 100, os.urandom(PAGE - 100)),
    "garbage behind the schema": lambda p: overwrite(p, 2 * PAGE, os.urandom(p.stat().st_size - 2 * PAGE)),
    "a page of zeros each second page": lambda p: [
        overwrite(p, at, bytes(PAGE)) for at in range(2 * PAGE, p.stat().st_size, 2 * PAGE)],
}


def ends_or_refuses(made, region, names):
    """Starts the node; it ends with a clear error, or it notices at the latest when it is used."""
    node = region.node
    node.start(wait=False)
    wait_until(lambda: not node.running() or node.ready() or http_get(node.ready_url)[0] == 503, 30,
               "it starts or ends")
    if not node.running():
        assert node.popen.returncode == 1, node.log_tail()
        last = node.log().splitlines()[-1]
        assert "start_failed" in last and "reason=" in last, last
        return
    client = Client(region.address("table"), timeout=10)
    wrong = []
    for name in names:
        for operation, request in (
                ("GetItem", {"Key": key_of(name)}),
                ("PutItem", {"Item": {**key_of(name), "v": {"S": "after"}}}),
                ("Scan", {"Limit": 1000})):
            try:
                answer = client.call(operation, {"TableName": "Orders", **request})
                if operation == "GetItem" and not answer.get("Item"):
                    wrong.append(name)
            except Refused as error:
                assert error.status >= 500 or error.kind == "ResourceNotFoundException", error
    assert node.running(), node.log_tail()
    status, reason = http_get(region.admin_url("/readyz"))
    if status == 503:
        assert "damaged" in reason or "malformed" in reason or "database" in reason, reason
    else:
        # It saw nothing wrong with what was asked; then a comparison with the others has to.
        done = made.cli("verify", "Orders", "--settle", "1s")
        assert done.returncode != 0 or not wrong, done.stdout
    node.kill()


def test_data_file(orders):
    names = [f"k{n:03}" for n in range(60)]
    put(orders[0], names, size=2000)
    orders.wait_identical("Orders", 30)
    victim = orders[1]
    assert victim.node.stop() == 0
    store = victim.data_dir / "store.db"
    saved = orders.folder / "saved.db"
    shutil.copy(store, saved)
    for name, damage in DAMAGES.items():
        print(name)
        for path in victim.data_dir.glob("store.db*"):
            path.unlink()
        shutil.copy(saved, store)
        damage(store)
        ends_or_refuses(orders, victim, names)
    # With its own file again it is as before.
    for path in victim.data_dir.glob("store.db*"):
        path.unlink()
    shutil.copy(saved, store)
    victim.node.start()
    orders.wait_identical("Orders", 60)


def test_damage_that_comes_while_the_node_runs(orders):
    # Pages are cached, so it may go unnoticed for a while; but not once they are read from the disk.
    names = [f"k{n:03}" for n in range(200)]
    put(orders[0], names, size=2000)
    orders.wait_identical("Orders", 30)
    victim = orders[1]
    store = victim.data_dir / "store.db"
    assert victim.node.stop() == 0
    victim.node.start()
    overwrite(store, 2 * PAGE, os.urandom(store.stat().st_size - 2 * PAGE))
    client = Client(victim.address("table"), timeout=10)

    def noticed():
        for operation, request in (("Scan", {"ConsistentRead": True}),
                                   ("PutItem", {"Item": key_of("new")})):
            try:
                client.call(operation, {"TableName": "Orders", **request})
            except Refused as error:
                assert error.status >= 500 or error.kind == "ResourceNotFoundException", error
        return http_get(victim.admin_url("/readyz"))[0] == 503
    wait_until(noticed, 30, "/readyz says so")
    reason = http_get(victim.admin_url("/readyz"))[1]
    assert "damaged" in reason or "malformed" in reason, reason
    assert victim.node.running(), victim.node.log_tail()
    # The others go on, and keep what is for it.
    put(orders[0], ["later"])
    wait_until(lambda: "later" in contents(orders[2].address("table"), "Orders"), 20, "others go on")
    assert orders.link("Orders", orders[0], victim)["pending_records"] > 0


def rows_of_logs(region, folder):
    """By table, in a copy of the file, for whoever opens it changes it; None if it cannot be read."""
    shutil.copytree(region.data_dir, folder)
    try:
        with sqlite3.connect(folder / "store.db") as file:
            names = [name for (name,) in file.execute("SELECT name FROM sqlite_master")]
            return {name: file.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                    for name in names if re.fullmatch(r"log_[0-9]+_[0-9]+", name)}
    except sqlite3.DatabaseError:
        return None


@pytest.mark.parametrize("what", ["truncated", "garbage"])
def test_write_ahead_log(orders, what, tmp_path):
    # SQLite takes the log up to the first frame that does not fit, as after a torn write.  What was
    # behind it is gone from this node, and nobody may pretend that all is well.
    put(orders[0], [f"k{n:03}" for n in range(50)])
    orders.wait_identical("Orders", 30)
    victim = orders[0]
    victim.node.kill()
    rows = rows_of_logs(victim, tmp_path / "whole")
    assert sum(rows.values()) >= 50, rows
    wal = victim.data_dir / "store.db-wal"
    assert wal.stat().st_size > 10 * PAGE
    if what == "truncated":
        os.truncate(wal, 5 * PAGE)
    else:
        overwrite(wal, 5 * PAGE, os.urandom(wal.stat().st_size - 5 * PAGE))
    left = rows_of_logs(victim, tmp_path / "damaged")
    victim.node.start(wait=False)
    wait_until(lambda: not victim.node.running() or victim.node.ready(), 30, "it starts or ends")
    if not victim.node.running():
        assert victim.node.popen.returncode == 1 and "start_failed" in victim.node.log()
        victim.node.popen = None
        return
    if left == rows:
        # All of it had been copied into the file before; then nothing is gone.
        orders.wait_identical("Orders", 30)
        return

    # On a slow machine its peers have repaired it before the difference is looked for.
    def told():
        return "log_lost" in victim.node.log() or orders.cli(
            "verify", "Orders", "--settle", "1s").returncode != 0
    wait_until(told, 60, "the node or verify tells of the loss")


def test_index_of_the_write_ahead_log_is_made_anew(orders):
    # The -shm file holds nothing that the log does not hold.
    with Load(orders, pause=0.002) as load:
        load.wait_progress()
        victim = orders[0].node
        victim.kill()
        (orders[0].data_dir / "store.db-shm").write_bytes(os.urandom(32768))
        victim.start()
        load.wait_progress()
    load.settle()


def test_checkpoint_file(orders):
    # The sink owns the position: the damaged file is moved aside and kept, and everything goes on.
    # (tests/component/checkpoint damages it in every way.)
    region = orders[0]
    with Load(orders, pause=0.002) as load:
        load.wait_progress()
        region.replicator.kill()
        folder = region.folder / "checkpoints"
        DAMAGES["half of the file"](folder / "checkpoints.db")
        region.replicator.start()
        load.wait_progress()
    load.settle()
    kept, = folder.glob("checkpoints.db.damaged-*")
    assert "checkpoints_damaged" in region.replicator.log() and kept.name in region.replicator.log()
    assert (folder / "checkpoints.db").exists()
