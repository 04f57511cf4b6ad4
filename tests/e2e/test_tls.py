"""Mutual TLS between regions: who may speak for whom, and what happens when certificates go bad.

Nothing is ever lost: records wait in the source's log until the two ends trust each other again.
"""

import re
import shutil
import subprocess

import pytest
import yaml

from cluster import ROOT, Cluster, http_get, wait_until
from load import Load, contents, key_of


def certify(folder, *regions, options=()):
    """Runs deploy/certs; returns the folder."""
    subprocess.run([str(ROOT / "deploy/certs"), *options, str(folder), *regions], check=True,
                   capture_output=True)
    return folder


def files_of(region, folder):
    return {"certificate": str(folder / f"{region.name}.crt"),
            "key": str(folder / f"{region.name}.key"),
            "authority": str(folder / "authority.crt")}


def use_tls(region, folder):
    for name in ("region-node.yaml", "replicator.yaml"):
        settings = region.folder / name
        settings.write_text(settings.read_text() + yaml.safe_dump({"tls": files_of(region, folder)}))


def settle_files(source, target, *names):
    """As an operator would: each file is replaced whole, one after the other."""
    for name in names:
        shutil.copy(source / name, target / (name + ".new"))
        (target / (name + ".new")).rename(target / name)


def peer(region, other):
    """How a region's replicator sees the link to another."""
    _, body = http_get(region.replicator_url("/v1/status"))
    return next(p for p in yaml.safe_load(body)["peers"] if p["region"] == other.name)


def loads(region):
    """Times that each daemon of the region took its files."""
    found = []
    for url in (region.admin_url("/metrics"), region.replicator_url("/metrics")):
        match = re.search(r"^meridian_tls_loads_total (\d+)", http_get(url)[1], re.MULTILINE)
        found.append(int(match.group(1)) if match else 0)
    return found


@pytest.fixture
def secured(tmp_path):
    """Two regions that speak TLS, with a global table."""
    made = Cluster(tmp_path, count=2)
    made.certs = certify(tmp_path / "certs", *[r.name for r in made])
    for region in made:
        use_tls(region, made.certs)
    with made:
        made.create_global_table("Orders")
        yield made
        assert not made.deaths()


def put(region, name):
    region.client().put_item(TableName="Orders", Item={**key_of(name), "v": {"S": name}})


def arrived(region, name):
    return name in contents(region.address("table"), "Orders")


def test_new_certificates_are_taken_without_a_restart(secured, tmp_path):
    # A new authority as well: first both are trusted, then the certificates change, then the old
    # one goes.
    fresh = certify(tmp_path / "fresh", *[r.name for r in secured])
    old_authority = (secured.certs / "authority.crt").read_bytes()
    with Load(secured, pause=0.005) as load:
        load.wait_progress()

        def replace(what):
            before = [loads(r) for r in secured]
            what()
            wait_until(lambda: all(now > then for after, earlier in zip(map(loads, secured), before)
                                   for now, then in zip(after, earlier)), 20, "all take the new files")
        (tmp_path / "both").mkdir()
        (tmp_path / "both/authority.crt").write_bytes(
            old_authority + (fresh / "authority.crt").read_bytes())
        replace(lambda: settle_files(tmp_path / "both", secured.certs, "authority.crt"))
        names = [f"{r.name}.{kind}" for r in secured for kind in ("key", "crt")]
        replace(lambda: settle_files(fresh, secured.certs, *names))
        replace(lambda: settle_files(fresh, secured.certs, "authority.crt"))
        load.wait_progress()
        # New connections use them.
        for region in secured:
            region.replicator.kill()
            region.replicator.start()
        load.wait_progress()
    load.settle()


def break_trust(secured, break_it, reason):
    """Breaks the second region's files and its connections; returns after the outcome was seen."""
    first, second = secured
    break_it()
    second.node.kill()
    second.node.start()
    put(first, "meanwhile")
    row = secured.wait_ageing("Orders", first, second)
    assert row["state"] == "backing_off" and row["pending_records"] > 0, row
    wait_until(lambda: reason in peer(first, second)["reason"], 15, peer(first, second))
    assert peer(first, second)["trouble"] == "tls"
    _, metrics = http_get(first.replicator_url("/metrics"))
    assert f'meridian_replication_link_down{{peer="{second.name}",trouble="tls"}} 1' in metrics
    assert not arrived(second, "meanwhile")
    # Clients of both sides go on.
    put(second, "isolated")
    assert first.node.ready() and second.node.ready()


def mend_trust(secured, mend_it):
    first, second = secured
    mend_it()
    wait_until(lambda: arrived(second, "meanwhile") and arrived(first, "isolated"), 30,
               "both ways come back by themselves")
    secured.wait_identical("Orders", 30)


def test_expired_certificate(secured, tmp_path):
    first, second = secured
    break_trust(secured, lambda: certify(secured.certs, second.name,
                                         options=("--renew", "--days", "0")),
                "the peer's certificate has expired")
    assert "tls_certificate_expired" in second.node.log()
    _, metrics = http_get(second.admin_url("/metrics"))
    expiry = re.search(r"^meridian_tls_certificate_expiry_timestamp_seconds (\S+)", metrics,
                       re.MULTILINE)
    assert 0 < float(expiry.group(1))
    # The one who is dialled by a holder of an expired certificate refuses it, and says so once.
    wait_until(lambda: "tls_handshake_failed" in first.node.log(), 15, "the refusal is logged")
    assert first.node.log().count("tls_handshake_failed") < 5
    mend_trust(secured, lambda: certify(secured.certs, second.name, options=("--renew",)))


def test_wrong_authority(secured, tmp_path):
    first, second = secured
    foreign = certify(tmp_path / "foreign", second.name)
    names = [f"{second.name}.key", f"{second.name}.crt"]
    good = tmp_path / "good"
    shutil.copytree(secured.certs, good)
    break_trust(secured, lambda: settle_files(foreign, secured.certs, *names),
                "not from an authority that we trust")
    mend_trust(secured, lambda: settle_files(good, secured.certs, *names))


def test_a_region_may_not_act_for_another(secured, tmp_path):
    # Its own daemons refuse a certificate that does not name their region ...
    first, second = secured
    second.node.stop()
    done = subprocess.run(
        [*second.node.argv, "--tls-certificate", str(secured.certs / f"{first.name}.crt"),
         "--tls-key", str(secured.certs / f"{first.name}.key")], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"does not name region {second.name}" in done.stdout + done.stderr
    second.node.start()
    # ... and so does everybody else: a valid certificate of another region does not help.
    certify(secured.certs, "sa-east-1")
    impostor = tmp_path / "impostor.yaml"
    impostor.write_text(yaml.safe_dump({
        "region": "sa-east-1", "data_dir": str(tmp_path / "impostor"),
        "listen": {p: "127.0.0.1:0" for p in ("table", "streams", "admin", "peer")},
        "peers": [{"region": second.name, "address": first.peer_address()}],
        "tls": {"certificate": str(secured.certs / "sa-east-1.crt"),
                "key": str(secured.certs / "sa-east-1.key"),
                "authority": str(secured.certs / "authority.crt")}}))
    log = tmp_path / "impostor.log"
    with open(log, "w") as out:
        process = subprocess.Popen([*second.node.argv[:-1], str(impostor)], stdout=out, stderr=out)
    try:
        wait_until(lambda: "is that of another region" in log.read_text(), 15, log.read_text())
    finally:
        process.kill()
        process.wait()


def test_plain_text_gets_nowhere(secured):
    # A replicator without certificates, as it would be after half of a change.
    first, second = secured
    first.replicator.stop()
    settings = first.folder / "replicator.yaml"
    plain = yaml.safe_load(settings.read_text())
    del plain["tls"]
    settings.write_text(yaml.safe_dump(plain))
    first.replicator.start(wait=False)
    wait_until(lambda: "does not speak TLS" in first.node.log(), 15, "the node names the trouble")
    put(first, "waits")
    assert not arrived(second, "waits")
    first.replicator.stop()
    use_tls(first, secured.certs)
    first.replicator.start()
    wait_until(lambda: arrived(second, "waits"), 15, "it arrives")


def test_plain_text_beyond_loopback_takes_a_word(tmp_path):
    made = Cluster(tmp_path, count=2)
    settings = made[0].folder / "region-node.yaml"
    config = yaml.safe_load(settings.read_text())
    config["peers"][0]["address"] = "10.1.2.3:7000"
    settings.write_text(yaml.safe_dump(config))

    def check(*flags):
        done = subprocess.run([*made[0].node.argv, "--check-config", *flags], capture_output=True,
                              text=True)
        return done.returncode, done.stdout + done.stderr
    code, said = check()
    assert code == 2 and "in plain text" in said and "peer_plain_text" in said
    assert check("--peer-plain-text")[0] == 0
    code, said = check("--tls-certificate", "some.crt")
    assert code == 2 and "belong together" in said
    assert check("--tls-certificate", "a", "--tls-key", "b", "--tls-authority", "c")[0] == 0
