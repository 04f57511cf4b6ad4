"""Two regions, cut apart with skewed clocks, both written to: afterwards every key is its newest version.

Acceptance of global tables: 0 keys differ, 0 deletes come back.  30 s with --long, 5 s without.
"""

import json
import pathlib
import time

import pytest

from cluster import Cluster, http_get, wait_until
from load import Load

SKEW_MS = 300


def fake_clock(offset_ms):
    """A prefix that shifts a program's wall clock, and nothing else of it."""
    folders = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime"]
    library = next((p for p in (pathlib.Path(f, "libfaketimeMT.so.1") for f in folders)
                    if p.exists()), None)
    if library is None:
        pytest.skip("libfaketime is not installed (deploy/packages)")
    return ["env", f"LD_PRELOAD={library}", f"FAKETIME={offset_ms / 1000:+.3f}",
            "FAKETIME_DONT_FAKE_MONOTONIC=1"]


def rows(region):
    """{key: (version, image or tombstone)}, tombstones included, as the region's store has them."""
    status, body = http_get(region.admin_url("/v1/tables/Orders/rows?limit=10000"), timeout=30)
    assert status == 200, body
    return {row["key"]: (row["version_hex"], "deleted" if row["tombstone"] else row["image_hash"])
            for row in json.loads(body)["rows"]}


def cut(made, *arguments):
    for verb_arguments in (("--from", made[0].name, "--to", made[1].name),
                           ("--from", made[1].name, "--to", made[0].name)):
        made.cli_json("link", arguments[0], *verb_arguments, *arguments[1:])


def test_split_with_skewed_clocks(tmp_path, long):
    seconds = 30 if long else 5
    made = Cluster(tmp_path, count=2)
    for process in (made[0].node, made[0].replicator):
        process.argv = fake_clock(SKEW_MS) + process.argv
    with made:
        made.create_global_table("Orders")
        with Load(made, shared=1000, own=0, seed="before") as before:
            time.sleep(2)
        before.settle()
        offset = wait_until(lambda: made.link("Orders", made[0], made[1])["clock_offset_ms"], 10,
                            "the offset of the clocks is known")
        assert -1.5 * SKEW_MS < offset < -0.5 * SKEW_MS, "the clocks are not skewed"
        cut(made, "cut", "--for", "10m")
        with Load(made, per_region=2, shared=1000, own=0, seed="split") as load:
            time.sleep(seconds)
        for writer in load.writers:
            writer.finish()
        assert all(made.link("Orders", a, b)["state"] == "cut"
                   for a, b in ((made[0], made[1]), (made[1], made[0])))
        apart = [rows(region) for region in made]
        keys = set(apart[0]) | set(apart[1])
        newest = {key: max(side[key] for side in apart if key in side) for key in keys}
        differing = sum(apart[0].get(key) != apart[1].get(key) for key in keys)
        deletes = sum(state == "deleted" for _, state in newest.values())
        beaten = [sum(side.get(key) != newest[key] for key in keys) for side in apart]
        # Otherwise the test shows nothing: both sides must have won and lost, and deleted.
        assert differing > 100 and deletes > 10 and min(beaten) > 10, (differing, deletes, beaten)
        cut(made, "heal")
        report = made.wait_identical("Orders", 60)
        assert report["differing"] == 0 and not report["differences"]
        for region in made:
            found = rows(region)
            back = [k for k in keys if newest[k][1] == "deleted" and found[k][1] != "deleted"]
            assert not back, f"deletes came back in {region.name}: {back[:10]}"
            assert found == newest, f"not the newest version in {region.name}"
        print(f"split of {seconds} s: {sum(load.acknowledged())} writes on {len(keys)} keys; "
              f"{differing} keys differed, {deletes} deleted; after it 0 and 0 deletes undone")
        assert not made.deaths()
