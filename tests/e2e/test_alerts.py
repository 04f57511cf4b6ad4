"""Each alert that is shipped is made to fire by a real fault, and to clear when the fault is mended: real
daemons of three regions, scraped by Debian's Prometheus, with the shipped rules, hurried (monitoring.py).

A test names the alerts that it is about (`fires`); that they have fired, and that in the end nothing
fires any more, is looked at for all alike.  What takes long runs with --long, as `tests/run --all` does.
"""

import contextlib
import shutil

import pytest
import yaml
from botocore.exceptions import ClientError

from cluster import Cluster, http_get, wait_until
from load import Load, key_of
from machine import SmallDisk
from monitoring import Prometheus, rules
from test_clock import FakeClock, restart
from test_quarantine import make_poison
from test_repair import LOG_BOUND, damage
from test_tls import certify, use_tls
from test_workers import Worker

fires = pytest.mark.fires


@pytest.fixture
def watch(request, tmp_path):
    """Watches a cluster from before its fault until all is well."""
    @contextlib.contextmanager
    def watch(cluster, **options):
        with Prometheus(cluster, tmp_path / "prometheus", **options) as prometheus:
            prometheus.wait_calm()
            yield prometheus
            prometheus.wait_calm()
            assert not cluster.deaths()
            expected = set(request.node.get_closest_marker("fires").args)
            assert expected <= prometheus.fired
    return watch


@pytest.fixture
def takes_long(long):
    if not long:
        pytest.skip("takes a minute or more: --long or MERIDIAN_LONG=1")


long_run = pytest.mark.usefixtures("takes_long")


def settings(made, **values):
    for region in made:
        file = region.folder / "region-node.yaml"
        file.write_text(file.read_text() + yaml.safe_dump(values))
    return made


def put(region, name, value="x"):
    region.client(attempts=5).put_item(TableName="Orders", Item={**key_of(name), "v": {"S": value}})


def accepts(region, name, size=10):
    try:
        put(region, name, "x" * size)
        return True
    except ClientError:
        return False


def link(cluster, verb, source, sink, *arguments):
    done = cluster.cli("link", verb, "--from", source.name, "--to", sink.name, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def wait_old(cluster, source, sink, seconds):
    """Until what waits on a link has waited for so long."""
    wait_until(lambda: (cluster.link("Orders", source, sink)["oldest_pending_ms"] or 0) > seconds * 1000,
               seconds + 30, "it waits")


# ------------------------------------------------------------------------------------------- regions

@fires("MeridianNodeDown", "MeridianReplicatorDown", "MeridianLinkDown")
def test_daemons_die(orders, watch):
    source, sink, _ = orders
    with watch(orders) as prometheus:
        source.replicator.kill()
        prometheus.wait(fires=["MeridianReplicatorDown"], quiet=["MeridianNodeDown"])
        source.replicator.start()
        prometheus.wait(quiet=["MeridianReplicatorDown"])
        sink.node.kill()
        prometheus.wait(fires=["MeridianNodeDown", "MeridianReplicatorDown", "MeridianLinkDown"])
        sink.node.start()


@fires("MeridianWritesRefused")
def test_a_disk_is_full(tmp_path, watch):
    made = Cluster(tmp_path)
    with SmallDisk(made[2].data_dir, 24) as disk, made:
        made.create_global_table("Orders")
        with watch(made) as prometheus:
            disk.fill(leave_kib=512)
            wait_until(lambda: not accepts(made[2], "filler", 20_000), 60, "a write is refused")
            disk.fill()
            prometheus.wait(fires=["MeridianWritesRefused"], quiet=["MeridianNodeDown"])
            disk.make_room()


# --------------------------------------------------------------------------------------------- links

@long_run
@fires("MeridianReplicationStalled", "MeridianLinkSilent", "MeridianLinkDown", "MeridianLinkFaultOnPurpose")
def test_a_link_is_cut(orders, watch):
    source, sink, _ = orders
    with watch(orders) as prometheus:
        link(orders, "cut", source, sink, "--for", "10m")
        put(source, "later")
        prometheus.wait(fires=["MeridianReplicationStalled", "MeridianLinkSilent", "MeridianLinkDown",
                               "MeridianLinkFaultOnPurpose"],
                        quiet=["MeridianNodeDown", "MeridianReplicatorDown"], seconds=120)
        link(orders, "heal", source, sink)


@long_run
@fires("MeridianReplicationLagHigh", "MeridianLinkFaultOnPurpose")
def test_a_link_that_carries_records_late(orders, watch):
    # It stands still again and again; no record waits for a minute, and few wait for less than seconds.
    source, sink, _ = orders
    with watch(orders) as prometheus, Load(orders, [source], pause=0.02) as load:
        for _ in range(20):
            link(orders, "pause", source, sink, "--for", "10m")
            wait_old(orders, source, sink, seconds=8)
            link(orders, "heal", source, sink)
            wait_until(lambda: (orders.link("Orders", source, sink)["oldest_pending_ms"] or 0) < 1000,
                       30, "what waited has been shipped")
            if "MeridianReplicationLagHigh" in prometheus.firing():
                break
        prometheus.wait(fires=["MeridianReplicationLagHigh"], quiet=["MeridianReplicationStalled"])
        load.settle()


@long_run
@fires("MeridianLogHeadRoomLow", "MeridianRepairNeeded")
def test_an_outage_is_longer_than_the_log(tmp_path, watch):
    with settings(Cluster(tmp_path), unacknowledged_bytes_max=LOG_BOUND) as made:
        made.create_global_table("Orders")
        source, sink, _ = made
        with watch(made) as prometheus:
            link(made, "cut", source, sink, "--for", "1h")
            for number in range(45):  # of 20,000 bytes, of a mebibyte
                put(source, f"k-{number}", "x" * 20_000)
            prometheus.wait(fires=["MeridianLogHeadRoomLow"], quiet=["MeridianRepairNeeded"])
            for number in range(45, 65):
                put(source, f"k-{number}", "x" * 20_000)
            prometheus.wait(fires=["MeridianRepairNeeded"], seconds=120)
            link(made, "heal", source, sink)
            prometheus.wait_calm()
        made.wait_identical("Orders", 30)


@long_run
@fires("MeridianWritesFrozen")
def test_a_restored_copy_that_is_told_slowly(orders, watch, tmp_path):
    # One peer is down; the other can be asked, but what was forgotten is much for the line.
    old, peer, down = orders
    put(old, "before")
    orders.wait_identical("Orders", 30)
    with watch(orders) as prometheus:
        daemons = (old.node, old.replicator)
        for process in daemons:
            process.stop()
        shutil.copytree(old.data_dir, tmp_path / "copy")
        for process in daemons:
            process.start()
        for number in range(40):
            put(old, f"forgotten-{number}", "x" * 20_000)
        orders.wait_identical("Orders", 30)
        for process in (*daemons, peer.node, down.node):
            process.kill()
        shutil.rmtree(old.data_dir)
        shutil.copytree(tmp_path / "copy", old.data_dir)
        for process in daemons:
            process.start()
        link(orders, "limit", old, peer, "--rate", "10kB/s", "--for", "1h")
        peer.node.start()
        prometheus.wait(fires=["MeridianWritesFrozen"])
        assert not accepts(old, "frozen")
        link(orders, "heal", old, peer)
        down.node.start()
        prometheus.wait_calm()
        put(old, "after")
    orders.wait_identical("Orders", 60)


@fires("MeridianCertificateExpires")
def test_a_certificate_is_about_to_expire(tmp_path, watch):
    made = Cluster(tmp_path)
    certs = certify(tmp_path / "certs", *[region.name for region in made])
    for region in made:
        use_tls(region, certs)
    with made:
        made.create_global_table("Orders")
        with watch(made) as prometheus:
            certify(certs, made[1].name, options=("--renew", "--days", "10"))
            prometheus.wait(fires=["MeridianCertificateExpires"])
            named = {alert["labels"]["instance"] for alert in prometheus.alerts()}
            assert named <= {made[1].address("admin"), made[1].address("replicator")}
            certify(certs, made[1].name, options=("--renew",))


# ---------------------------------------------------------------------------------------------- data

@long_run
@fires("MeridianConflictsFrequent", "MeridianConflictLedgerFull")
def test_two_regions_write_the_same_items(tmp_path, watch):
    with settings(Cluster(tmp_path), ledger_entries_max=20) as made:
        made.create_global_table("Orders")
        one, other, _ = made
        with watch(made) as prometheus:
            for source, sink in ((one, other), (other, one)):
                link(made, "delay", source, sink, "--by", "300ms", "--for", "10m")
            with Load(made, [one, other], own=0, shared=20, pause=0.02) as load:
                prometheus.wait(fires=["MeridianConflictsFrequent", "MeridianConflictLedgerFull"])
            for source, sink in ((one, other), (other, one)):
                link(made, "heal", source, sink)
            load.settle()


@fires("MeridianQuarantine")
def test_records_that_cannot_be_applied(orders, watch):
    here, there, _ = orders
    with watch(orders) as prometheus:
        make_poison(here, ["poison"])
        prometheus.wait(fires=["MeridianQuarantine"])
        put(there, "poison", "newer")


@long_run
@fires("MeridianDivergence", "MeridianForkedVersions")
def test_a_row_is_damaged(orders, watch):
    for number in range(20):
        put(orders[0], f"k-{number:03}", "right")
    orders.wait_identical("Orders", 30)
    with watch(orders) as prometheus:
        orders[1].node.stop()
        damage(orders[1], "k-007")
        orders[1].node.start()
        # The scrub comes by itself.
        prometheus.wait(fires=["MeridianDivergence"], quiet=["MeridianForkedVersions"], seconds=180)
        # To mend it, one region has to take another image under the version that it has.
        assert orders.cli("verify", "Orders", "--repair").returncode == 0
        prometheus.wait(fires=["MeridianForkedVersions"])


# -------------------------------------------------------------------------------------------- clocks

@long_run
@fires("MeridianClockOffset", "MeridianVersionsHeld", "MeridianClockStepped")
def test_a_clock_is_ahead_and_put_right(orders, watch):
    region, other, _ = orders
    clock = FakeClock(region)
    with watch(orders) as prometheus:
        clock.set(30)
        restart(region)
        put(region, "early")
        prometheus.wait(fires=["MeridianClockOffset", "MeridianVersionsHeld"],
                        quiet=["MeridianClockStepped"])
        # True time comes to what was written: it is applied.
        prometheus.wait(fires=["MeridianClockOffset"], quiet=["MeridianVersionsHeld"])
        clock.set(0)
        prometheus.wait(fires=["MeridianClockStepped"])
        assert orders.cli("clock", "accept", "--region", region.name).returncode == 0
        prometheus.wait_calm()
        wait_until(lambda: accepts(region, "after"), 30, "it takes writes")
    orders.wait_identical("Orders", 30)


# ------------------------------------------------------------------------------------------- workers

@long_run
@fires("MeridianLeasesLost")
def test_a_worker_only_seems_dead(tmp_path, watch):
    with Cluster(tmp_path, shards=4) as made:
        made.create_global_table("Orders")
        second = Worker(made, made[0], "worker-2")
        second.process.start()
        try:
            def leases():
                text = http_get(second.url + "/metrics")[1]
                return "meridian_replicator_leases_held 2" in text
            wait_until(leases, 30, "it has its share")
            with watch(made, workers=[(made[0], second.url[7:])]) as prometheus:
                second.process.pause()
                first = made[0].replicator_url("/metrics")
                wait_until(lambda: "meridian_replicator_leases_held 4" in http_get(first)[1], 30,
                           "the other takes over")
                second.process.resume()
                prometheus.wait(fires=["MeridianLeasesLost"])
        finally:
            second.process.kill()


@long_run
@fires("MeridianCheckpointsNotSaved")
def test_the_checkpoint_directory_is_full(tmp_path, watch):
    made = Cluster(tmp_path)
    source = made[0]
    with SmallDisk(source.folder / "checkpoints", 1) as disk, made:
        made.create_global_table("Orders")
        with watch(made) as prometheus, Load(made, [source], pause=0.01) as load:
            disk.fill()
            prometheus.wait(fires=["MeridianCheckpointsNotSaved"])
            disk.make_room()
            load.settle()


# ---------------------------------------------------------------------------------------------- all

def test_no_alert_is_left_out():
    made_to_fire = {name for each in globals().values() for mark in getattr(each, "pytestmark", ())
                    if mark.name == "fires" for name in mark.args}
    assert made_to_fire == {rule["alert"] for rule in rules()}
