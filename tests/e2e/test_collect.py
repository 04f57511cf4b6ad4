"""Tombstones are forgotten once no region needs them, and not before."""

import json

import pytest
import yaml

from cluster import Cluster, http_get, wait_until
from orders import held, put, remove


@pytest.fixture
def regions(tmp_path):
    """Three regions that keep tombstones for no longer than they must."""
    made = Cluster(tmp_path, count=3)
    for region in made:
        settings = region.folder / "region-node.yaml"
        settings.write_text(settings.read_text() + yaml.safe_dump({"tombstone_retention_s": 0}))
    with made:
        made.create_global_table("Orders")
        yield made
        assert not made.deaths()


def page(region, path):
    status, body = http_get(region.admin_url(path), timeout=10)
    assert status == 200, body
    return json.loads(body)


def table_of(region):
    return next(t for t in page(region, "/v1/status")["tables"] if t["name"] == "Orders")


def waits_for(region):
    """What the region's tombstones wait for; empty when none does."""
    found = page(region, "/v1/collections")["collections"]
    return found[0] if found else {}


def wait_kept(region, replica, *names):
    """Until the region says that it keeps its tombstones for the replica's sake, and names these."""
    def check():
        found = waits_for(region)
        return found.get("replica") == replica.name and all(n in found["why"] for n in names)
    wait_until(check, 30, f"{region.name} waits for {replica.name}")


def metric(region, name):
    status, body = http_get(region.admin_url("/metrics"))
    assert status == 200
    return sum(float(line.rsplit(" ", 1)[1]) for line in body.splitlines()
               if line.startswith(name) and not line.startswith("#"))


def wait_collected(*regions, seconds=40):
    for region in regions:
        wait_until(lambda: table_of(region)["tombstones"] == 0, seconds,
                   f"{region.name} has forgotten its tombstones: {waits_for(region)}")


def test_deletes_are_forgotten_when_everybody_has_them(regions):
    here, there, far = regions
    for number in range(30):
        put(here, f"k{number}")
    wait_until(lambda: len(held(far)) == 30, 20, "they arrive")
    for number in range(20):
        remove(far if number % 2 else there, f"k{number}")
    wait_collected(*regions)
    for region in regions:
        assert held(region).keys() == {f"k{number}" for number in range(20, 30)}
        assert table_of(region)["collected_ms"] > 0
        assert metric(region, "meridian_tombstones_collected_total") >= 20
        assert metric(region, "meridian_table_collected_timestamp_seconds") > 0
        assert metric(region, "meridian_table_tombstones") == 0
    # A key that is gone without a trace is written again, anywhere, and is the same everywhere.
    put(there, "k0", "again")
    regions.wait_identical("Orders", 20)
    assert held(far)["k0"] == "again"
    assert regions.cli_json("conflicts", "list", "Orders")["conflicts"] == 0


def test_a_region_that_is_down_stalls_it_until_it_is_back(regions):
    here, there, far = regions
    put(here, "a")
    put(here, "b")
    wait_until(lambda: len(held(far)) == 2, 20, "they arrive")
    remove(here, "a")
    wait_collected(*regions)
    far.node.kill()
    remove(there, "b")
    wait_until(lambda: "b" not in held(here), 20, "the others have it")
    # A look at everything that can be asked, and they are kept for its sake.
    wait_kept(here, far, far.name)
    wait_kept(there, far, far.name)
    assert table_of(here)["tombstones"] == 1 and table_of(there)["tombstones"] == 1
    # Whoever has begun anew has been told nothing, and is no less patient.
    here.node.kill()
    here.node.start()
    wait_kept(here, far, "told nothing")
    assert table_of(here)["tombstones"] == 1
    far.node.start()
    wait_collected(*regions)
    assert not any(held(region) for region in regions)


def test_a_region_that_is_removed_by_force_stalls_it_no_longer(regions):
    here, there, far = regions
    put(here, "a")
    wait_until(lambda: len(held(far)) == 1, 20, "it arrives")
    far.node.kill()
    far.replicator.kill()
    remove(here, "a")
    wait_until(lambda: not held(there), 20, "the other has it")
    wait_kept(there, far)
    wait_until(lambda: regions.cli("replica", "remove", "Orders", far.name, "--force",
                                   "--yes").returncode == 0, 30, "it is removed")
    wait_collected(here, there)
    # It comes back fenced, and gives nothing back.
    far.node.start()
    far.replicator.start(wait=False)
    put(there, "c")
    wait_until(lambda: "c" in held(here), 20, "the others go on")
    assert held(here).keys() == {"c"}


def test_what_waits_on_a_cut_link_is_waited_for(regions):
    """k is written at A, whose link to C is cut; B deletes it.  All three have the tombstone then, and
    were it forgotten, C would take k for new when the link heals."""
    a, b, c = regions
    put(a, "before")
    wait_until(lambda: len(held(c)) == 1, 20, "it arrives")
    regions.cli_json("link", "cut", "--from", a.name, "--to", c.name, "--for", "10m")
    put(a, "k")
    wait_until(lambda: "k" in held(b), 20, "B has it")
    remove(b, "k")
    wait_until(lambda: all(table_of(region)["tombstones"] == 1 for region in regions), 20,
               "all have the tombstone")
    wait_kept(b, c, a.name)
    assert all(table_of(region)["tombstones"] == 1 for region in regions)
    regions.cli_json("link", "heal", "--from", a.name, "--to", c.name)
    wait_collected(*regions)
    regions.wait_identical("Orders", 20)
    assert all(held(region).keys() == {"before"} for region in regions)
