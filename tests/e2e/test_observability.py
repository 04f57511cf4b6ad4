"""Metrics, alert rules and dashboards, with Prometheus itself: Debian's `prometheus` has it and promtool."""

import json
import re
import shutil

import botocore.exceptions
import pytest
import yaml

from cluster import Cluster, wait_until
from load import key_of
from monitoring import FOLDER, Prometheus, metrics_pages, promtool, rules
from test_lag import parse_prometheus

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool")


def test_rules_and_configuration_are_valid(tmp_path):
    # promtool looks for the file of the token too, which is in the container only.
    token = tmp_path / "admin-token"
    token.write_text("0123456789abcdef")
    config = (FOLDER / "prometheus.yml").read_text()
    assert config.count("credentials_file: /run/secrets/admin-token") == config.count("job_name:") == 2
    (tmp_path / "prometheus.yml").write_text(config.replace("/run/secrets/admin-token", str(token)))
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    promtool("check", "config", "prometheus.yml", folder=tmp_path)
    promtool("check", "rules", "alerts.yml")
    promtool("test", "rules", "alerts_test.yml")


def test_every_alert_is_made_to_fire_and_to_clear_and_has_an_entry():
    tested, cleared = set(), set()
    for test in yaml.safe_load((FOLDER / "alerts_test.yml").read_text())["tests"]:
        last = {}
        for each in test["alert_rule_test"]:
            last[each["alertname"]] = bool(each.get("exp_alerts"))
            if each.get("exp_alerts"):
                tested.add(each["alertname"])
        cleared |= {name for name, firing in last.items() if not firing}
    names = [rule["alert"] for rule in rules()]
    assert set(names) == tested == cleared and len(names) == len(set(names))
    runbook = (FOLDER.parents[1] / "docs" / "RUNBOOK.md").read_text()
    for name in names:
        assert f"`{name}`" in runbook, f"{name} is not in the runbook"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("observed"), count=2) as made:
        made.create_global_table("Orders", stream="NEW_AND_OLD_IMAGES")
        for region in made:
            region.client().put_item(TableName="Orders", Item=key_of(f"first-{region.name}"))
        made.wait_identical("Orders", 30)
        for source, sink in ((made[0], made[1]), (made[1], made[0])):
            wait_until(lambda a=source, b=sink: (made.link("Orders", a, b))["applied_us"], 15,
                       "both links have carried a record")
        yield made


def test_metrics_keep_the_conventions(pair):
    texts = metrics_pages(pair)
    assert len(texts) == 4
    for text in texts:
        promtool("check", "metrics", stdin=text)
        parse_prometheus(text)


def names_in(expression):
    return set(re.findall(r"\bmeridian_[a-z_]+", expression))


def test_rules_and_dashboards_name_only_metrics_that_there_are(pair):
    with pytest.raises(botocore.exceptions.ClientError):  # errors are counted by their types
        pair[0].client().get_item(TableName="NoSuchTable", Key=key_of("k"))

    def exported():
        return {name for text in metrics_pages(pair) for name, _ in parse_prometheus(text)[1]}
    expressions = [rule["expr"] for rule in rules()]
    for path in FOLDER.glob("grafana/dashboards/*.json"):
        board = json.loads(path.read_text())
        expressions += [target["expr"] for panel in board["panels"]
                        for target in panel.get("targets", [])]
        expressions += [note["expr"] for note in board["annotations"]["list"]]
    # Of connections with TLS, of what is held, of a scrub that has ended; and the beginning of two that
    # one expression names together.
    absent = {"meridian_tls_certificate_expiry_timestamp_seconds", "meridian_clock_held_flows",
              "meridian_scrub_differing_rows", "meridian_replication_"}
    named = set().union(*map(names_in, expressions))
    assert len(named) > 25
    together = {"meridian_replication_applied_timestamp_seconds",
                "meridian_replication_probe_timestamp_seconds"}
    # Some come with the first probe, or with the repairer's first look.
    wait_until(lambda: (named - absent) | together <= exported(), 30,
               "all are there; at first there were not " + str((named - absent) - exported()))


def impatient(text):
    """Of durations and ages nothing is left but that they are some: how long they last is not looked at
    here (test_alerts.py)."""
    return re.sub(r"for: \w+", "for: 0s", text).replace("> 60", "> 4")


@pytest.fixture
def prometheus(pair, tmp_path):
    with Prometheus(pair, tmp_path / "prometheus", change_rules=impatient) as made:
        yield made


def test_alerts_fire_at_real_faults_and_clear(pair, prometheus):
    source, sink = pair
    prometheus.wait(quiet=[rule["alert"] for rule in rules()])
    # A link stands still.
    stalled = ["MeridianLinkFaultOnPurpose", "MeridianReplicationStalled", "MeridianLinkDown",
               "MeridianLinkSilent"]
    assert pair.cli("link", "cut", "--from", source.name, "--to", sink.name, "--for",
                    "5m").returncode == 0
    source.client().put_item(TableName="Orders", Item=key_of("later"))
    prometheus.wait(fires=stalled, quiet=["MeridianNodeDown", "MeridianReplicatorDown"])
    assert pair.cli("link", "heal", "--from", source.name, "--to", sink.name).returncode == 0
    prometheus.wait(quiet=stalled)
    # Daemons die.
    source.replicator.kill()
    prometheus.wait(fires=["MeridianReplicatorDown"], quiet=["MeridianNodeDown"])
    source.replicator.start()
    prometheus.wait(quiet=["MeridianReplicatorDown"])
    sink.node.kill()
    prometheus.wait(fires=["MeridianNodeDown", "MeridianLinkDown"])
    sink.node.start()
    prometheus.wait(quiet=["MeridianNodeDown", "MeridianReplicatorDown", "MeridianLinkDown"])
