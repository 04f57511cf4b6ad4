"""Three regions write the same keys while replication stops and starts: they end up identical."""

import sqlite3
import time

import yaml

from cluster import wait_until
from load import Load, contents, key_of


def test_same_keys_everywhere_while_replicators_stop(orders, load_seconds):
    # Acceptance 3.
    with Load(orders, shared=1000, own=0) as load:
        end = time.monotonic() + load_seconds
        turn = 0
        while time.monotonic() < end:
            replicator = orders[turn % 3].replicator
            if turn % 2:
                assert replicator.stop() == 0
                time.sleep(load_seconds / 20)
                replicator.start()
            else:
                replicator.pause()
                time.sleep(load_seconds / 20)
                replicator.resume()
            time.sleep(load_seconds / 40)
            turn += 1
    assert min(load.acknowledged()) > 10 * load_seconds
    found = load.settle(slack_seconds=1.0)
    assert_report(orders.verify("Orders")[1], orders, len(found[orders[0].name]))


def assert_report(report, orders, items):
    """All regions compared, with item count and digest."""
    assert report["identical"] is True and report["differences"] == []
    assert set(report["regions"]) == {r.name for r in orders}
    assert report["items"] == items and report["digest"]


def flip_a_byte(data_dir, before, after):
    """Edits one stored image by hand: wherever a column holds `before`."""
    assert len(before) == len(after)
    edits = 0
    for path in data_dir.rglob("*"):
        if not path.is_file() or path.read_bytes()[:15] != b"SQLite format 3":
            continue
        with sqlite3.connect(path) as database:
            tables = [t for t, in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
            for table in tables:
                try:
                    database.execute(f'SELECT rowid FROM "{table}" LIMIT 1')
                except sqlite3.OperationalError:
                    continue  # WITHOUT ROWID: small rows, no images
                for _, column, *_ in database.execute(f'PRAGMA table_info("{table}")').fetchall():
                    rows = database.execute(
                        f'SELECT rowid, "{column}" FROM "{table}" WHERE instr("{column}", ?)',
                        (before,)).fetchall()
                    for rowid, value in rows:
                        if isinstance(value, bytes):
                            database.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?',
                                             (value.replace(before, after), rowid))
                            edits += 1
        database.close()
    return edits


def test_verify_names_a_row_edited_by_hand(orders):
    # Acceptance 3, second half: the damage lies in a stopped node's file.
    table = orders[0].client()
    for number in range(50):
        table.put_item(TableName="Orders", Item={
            **key_of(f"k{number}"), "v": {"S": f"value-{number}-needle-{number:03}"}})
    orders.wait_identical("Orders", 30)
    victim = orders[1]
    assert victim.node.stop() == 0
    assert flip_a_byte(victim.data_dir, b"needle-017", b"noodle-017") >= 1
    victim.node.start()

    def named():
        code, report = orders.verify("Orders")
        return code == 1 and report
    report = wait_until(named, 20, "verify sees the difference")
    assert report["identical"] is False
    assert "k17" in str(report["differences"]) and "k18" not in str(report["differences"])
    done = orders.cli("verify", "Orders")
    assert done.returncode == 1 and "k17" in done.stdout


def test_verify_names_replicas_that_it_cannot_compare(orders):
    orders.wait_identical("Orders", 30)
    file = orders.deployment_file()
    gone = file["regions"].pop()["name"]
    orders.deployment.write_text(yaml.safe_dump(file))
    code, report = orders.verify("Orders")
    assert code == 1 and report["identical"] is False
    problem, = report["problems"]
    assert gone in problem and "not in the deployment file" in problem


def test_verify_of_an_unknown_table(cluster):
    done = cluster.cli("verify", "NoSuchTable")
    assert done.returncode not in (0, 1)
    assert "NoSuchTable" in done.stderr


def test_deletes_and_puts_in_turn_do_not_resurrect(orders):
    # A delete in one region beats the older put of another that arrives later.
    for region in orders:
        region.replicator.pause()
    key = key_of("gone")
    orders[0].client().put_item(TableName="Orders", Item={**key, "v": {"S": "older"}})
    time.sleep(0.05)
    orders[1].client().delete_item(TableName="Orders", Key=key)  # of nothing, here
    time.sleep(0.05)
    orders[2].client().put_item(TableName="Orders", Item={**key_of("kept"), "v": {"S": "x"}})
    for region in orders:
        region.replicator.resume()
    orders.wait_identical("Orders", 30)
    for region in orders:
        assert contents(region.address("table"), "Orders") == {"kept": "x"}


def test_equal_write_still_beats_an_older_one(orders):
    # A put that changes nothing was acknowledged after a peer's older write, and must beat it.
    key = key_of("same")
    item = {**key, "v": {"S": "same"}}
    orders[0].client().put_item(TableName="Orders", Item=item)
    orders.wait_identical("Orders", 30)
    for region in orders:
        region.replicator.pause()
    orders[1].client().put_item(TableName="Orders", Item={**key, "v": {"S": "older"}})
    time.sleep(0.05)
    orders[0].client().put_item(TableName="Orders", Item=item)  # equal by value
    for region in orders:
        region.replicator.resume()
    orders.wait_identical("Orders", 30)
    for region in orders:
        assert contents(region.address("table"), "Orders") == {"same": "same"}
