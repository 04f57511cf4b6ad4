"""Settings of a global table, changed in several regions at once; and the AWS CLI's view of it all."""

import json
import os
import subprocess
import sys
import threading

from cluster import wait_until


def settings(region, name):
    """What must be the same wherever it is asked: all but the region's own read capacity."""
    d = region.client().describe_table(TableName=name)["Table"]
    return {
        "write units": d.get("OnDemandThroughput", {}).get("MaxWriteRequestUnits"),
        "class": d.get("TableClassSummary"),
        "encryption": d.get("SSEDescription"),
        "replicas": sorted((r["RegionName"], str(r.get("ReplicaTableClassSummary")),
                            str(r.get("OnDemandThroughputOverride"))) for r in d["Replicas"]),
    }


def test_changed_at_the_same_time_they_converge(cluster):
    name = cluster.create_global_table("Settings", keys=(("p", "S"),))
    names = [r.name for r in cluster]
    failures = []

    def storm(index):
        region = cluster[index]
        client = region.client(attempts=8)
        other = names[(index + 1) % len(names)]
        try:
            for turn in range(6):
                client.update_table(TableName=name, OnDemandThroughput={
                    "MaxReadRequestUnits": 100 * (index + 1) + turn,
                    "MaxWriteRequestUnits": 10 * (index + 1) + turn})
                client.update_table(TableName=name, ReplicaUpdates=[{"Update": {
                    "RegionName": other,
                    "OnDemandThroughputOverride": {"MaxReadRequestUnits": 1000 + index}}}])
                client.update_table(TableName=name, TableClass=(
                    "STANDARD", "STANDARD_INFREQUENT_ACCESS")[(turn + index) % 2])
        except Exception as error:  # pylint: disable=broad-except
            failures.append(f"{region.name}: {error}")

    # The third region is away during the storm, and changes something of its own before it is back.
    cluster[2].node.pause()
    storms = [threading.Thread(target=storm, args=(i,)) for i in range(2)]
    for each in storms:
        each.start()
    for each in storms:
        each.join()
    cluster[2].node.resume()
    cluster[2].client(attempts=8).update_table(TableName=name, SSESpecification={
        "Enabled": True, "SSEType": "KMS"})
    assert not failures

    def agreed():
        seen = [settings(r, name) for r in cluster]
        return seen[0] if all(s == seen[0] for s in seen) and seen[0]["encryption"] else None
    seen = wait_until(agreed, 30, "the regions agree")
    # Each setting is the last one of somebody.
    assert seen["write units"] in (15, 25)
    assert seen["class"]["TableClass"] in ("STANDARD", "STANDARD_INFREQUENT_ACCESS")
    overrides = {r: o for r, _, o in seen["replicas"]}
    assert overrides[names[0]] == "None"
    assert all(overrides[n] in ("None", str({"MaxReadRequestUnits": 1000 + i}))
               for i, n in enumerate(names[1:]))


def test_the_aws_cli(shared):
    home, away = shared[0], shared[1]
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                   "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                   "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}

    def cli(*arguments, fails=None):
        done = subprocess.run(
            [sys.executable, "-m", "awscli", "--endpoint-url", home.url("table"), "--region",
             home.name, "--output", "json", "dynamodb", *arguments],
            capture_output=True, text=True, timeout=60, env=environment)
        if fails:
            # 255 from version 1 of the CLI, 254 from version 2.
            assert done.returncode in (254, 255) and fails in done.stderr, done.stderr
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    cli("create-table", "--table-name", "Cli", "--billing-mode", "PAY_PER_REQUEST",
        "--attribute-definitions", "AttributeName=p,AttributeType=S",
        "--key-schema", "AttributeName=p,KeyType=HASH")
    cli("wait", "table-exists", "--table-name", "Cli")
    cli("update-table", "--table-name", "Cli", "--replica-updates",
        json.dumps([{"Create": {"RegionName": away.name}}]))
    shared.wait_active("Cli", [home, away], replicas=1)
    cli("update-table", "--table-name", "Cli", "--replica-updates",
        json.dumps([{"Update": {"RegionName": away.name,
                                "TableClassOverride": "STANDARD_INFREQUENT_ACCESS"}}]))
    described = cli("describe-table", "--table-name", "Cli")["Table"]
    assert described["GlobalTableVersion"] == "2019.11.21"
    replica, = [r for r in described["Replicas"] if r["RegionName"] == away.name]
    assert replica["ReplicaTableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    scaling = cli("describe-table-replica-auto-scaling", "--table-name", "Cli")
    assert len(scaling["TableAutoScalingDescription"]["Replicas"]) == 2
    assert cli("list-global-tables") == {"GlobalTables": []}
    cli("describe-global-table", "--global-table-name", "Cli",
        fails="(GlobalTableNotFoundException) when calling the DescribeGlobalTable operation: Global "
              "table with name 'Cli' does not exist.")
    cli("create-global-table", "--global-table-name", "Cli", "--replication-group",
        f"RegionName={away.name}",
        fails="DynamoDB global tables version 2017.11.29 is not supported.")
    cli("update-table", "--table-name", "Cli", "--replica-updates",
        json.dumps([{"Delete": {"RegionName": away.name}}]))
    wait_until(lambda: "Replicas" not in cli("describe-table", "--table-name", "Cli")["Table"], 20,
               "alone again")
