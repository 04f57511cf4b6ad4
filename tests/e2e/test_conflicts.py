"""Writes that lose unseen are listed, exactly; a loser can be written again; an item's story is told."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from cluster import http_get, wait_until

TABLE = "Orders"


def key(customer, order="1"):
    return {"customer": {"S": customer}, "order": {"S": order}}


def item(customer, value):
    return {**key(customer), "value": {"S": value}, "tags": {"SS": ["a", "b"]}, "n": {"N": "1.5"},
            "raw": {"B": b"\x00\xff"}, "deep": {"M": {"l": {"L": [{"NULL": True}, {"BOOL": False}]}}}}


def put(region, customer, value):
    region.client().put_item(TableName=TABLE, Item=item(customer, value))


def read(region, customer):
    found = region.client().get_item(TableName=TABLE, Key=key(customer), ConsistentRead=True)
    return found.get("Item", {}).get("value", {}).get("S")


def settle(cluster):
    wait_until(lambda: cluster.cli("verify", TABLE).returncode == 0, 30, "all regions are equal")


def listed(cluster, *arguments):
    return cluster.cli_json("conflicts", "list", TABLE, *arguments)["listed"]


def conflict_between(cluster):
    """Regions 0 and 1, cut apart, write the same keys; 0 writes first, so its writes lose."""
    first, second, third = cluster
    for customer in ("both", "built", "story"):
        put(first, customer, "before")
    settle(cluster)
    for region in (first, second):
        assert region.replicator.stop() == 0
    put(first, "both", "from the first")
    put(first, "story", "from the first")
    put(first, "alone", "only here")
    put(first, "built", "on before")
    first.client().delete_item(TableName=TABLE, Key=key("gone"))
    time.sleep(0.05)
    put(second, "both", "from the second")
    put(second, "story", "from the second")
    put(second, "story", "from the second, again")
    put(second, "gone", "not gone")
    for region in (first, second):
        region.replicator.start()
    settle(cluster)


def test_losers_are_listed_shown_exported_and_restored(orders, tmp_path):
    cluster = orders
    first, second, third = cluster
    conflict_between(cluster)

    conflicts = listed(cluster)
    assert sorted(c["key_json"]["customer"]["S"] for c in conflicts) == ["both", "gone", "story"]
    assert all(c["certain"] and c["listed_by"] == first.name for c in conflicts)
    assert all(c["loser"]["version"].endswith("@" + first.name) for c in conflicts)
    assert all(c["winner"]["version"].endswith("@" + second.name) for c in conflicts)
    by_key = {c["key_json"]["customer"]["S"]: c for c in conflicts}
    assert by_key["gone"]["loser"]["tombstone"] and not by_key["gone"]["winner"]["tombstone"]
    both = by_key["both"]["loser"]["version"]

    # Filters, and one region's own list: the third saw the first's write beaten too, or come late.
    assert [c["loser"]["version"] for c in listed(cluster, "--key", "customer=both", "order=1")] == [
        both]
    assert len(listed(cluster, "--key", json.dumps(key("gone")))) == 1
    assert listed(cluster, "--until", "1h") == []
    assert len(listed(cluster, "--since", "1h", "--limit", "1")) == 1
    for region in cluster:
        own = listed(cluster, "--region", region.name)
        assert {c["key_json"]["customer"]["S"] for c in own} == {"both", "gone", "story"}, region.name
    rows = cluster.cli("conflicts", "list", TABLE).stdout.splitlines()
    assert rows[0].startswith("LOSER") and len(rows) == 4 and both in "".join(rows)
    assert len(cluster.cli("conflicts", "list", TABLE, "-o", "csv").stdout.splitlines()) == 4

    shown = cluster.cli_json("conflicts", "show", TABLE, both)
    assert shown["loser"]["image"]["value"] == {"S": "from the first"}
    assert shown["winner"]["image"]["value"]["S"] == "from the second"
    assert "from the first" in cluster.cli("conflicts", "show", TABLE, both).stdout
    assert cluster.cli("conflicts", "show", TABLE, "yesterday").returncode == 2
    assert cluster.cli("conflicts", "list", "Nothing").returncode == 2

    # Of all tables, each line says which.
    cluster.create_global_table("Quiet")
    everywhere = cluster.cli_json("conflicts", "list")
    assert everywhere["conflicts"] == 3 and {c["table"] for c in everywhere["listed"]} == {TABLE}
    assert cluster.cli("conflicts", "list").stdout.splitlines()[1].startswith(TABLE)
    assert len(cluster.cli("conflicts", "export").stdout.splitlines()) == 3
    assert cluster.cli("conflicts", "list", "--key", json.dumps(key("gone"))).returncode == 2

    out = tmp_path / "conflicts.jsonl"
    assert cluster.cli("conflicts", "export", TABLE, "--out", str(out)).returncode == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert {line["loser"]["version"] for line in lines} == {c["loser"]["version"] for c in conflicts}
    assert lines[0]["table"] == TABLE and lines[0]["loser"]["committed_us"] > 10**15

    restore(cluster, both, by_key["gone"]["loser"]["version"])
    metrics(cluster)


def test_more_conflicts_than_fit_a_page(orders):
    """Regions' pages end at different keys, and are put together all the same."""
    first, second, third = orders
    count = 1_050  # a page has 1,000
    names = [f"customer-{number:05}" for number in range(count)]

    def put_all(region, value):
        for start in range(0, count, 25):
            region.client().batch_write_item(RequestItems={TABLE: [
                {"PutRequest": {"Item": {**key(name), "value": {"S": value}}}}
                for name in names[start:start + 25]]})

    put(second, "aaa", "only there")
    settle(orders)
    for region in (first, second):
        assert region.replicator.stop() == 0
    put(first, "aaa", "lost")
    put_all(first, "lost")
    time.sleep(0.05)
    put_all(second, "won")
    put(second, "aaa", "won")
    for region in (first, second):
        region.replicator.start()
    settle(orders)
    lines = [json.loads(line) for line in
             orders.cli("conflicts", "export", TABLE).stdout.splitlines()]
    assert sorted(line["key_json"]["customer"]["S"] for line in lines) == ["aaa", *names]
    assert all(line["certain"] and line["loser"]["image"]["value"] == {"S": "lost"} and
               line["winner"]["image"]["value"] == {"S": "won"} for line in lines)
    everything = orders.cli_json("conflicts", "list", TABLE, "--limit", "10")
    assert everything["conflicts"] == count + 1 and len(everything["listed"]) == 10
    newest = max(line["loser"]["version_hex"] for line in lines)
    assert everything["listed"][0]["loser"]["version_hex"] == newest


def restore(cluster, both, gone):
    first, second, third = cluster
    refused = cluster.cli("conflicts", "restore", TABLE, both)
    assert refused.returncode == 2 and "--yes" in refused.stderr
    assert cluster.cli("conflicts", "restore", TABLE, both, "--dry-run").returncode == 0
    assert read(first, "both") == "from the second"
    done = cluster.cli_json("conflicts", "restore", TABLE, both, "--yes")
    assert done["restored"] and done["version"].endswith("@" + first.name)
    settle(cluster)
    for region in cluster:
        assert read(region, "both") == "from the first", region.name
        found = region.client().get_item(TableName=TABLE, Key=key("both"))["Item"]
        assert found == item("both", "from the first")
    # An item that was written since needs a word: here by whoever beat the loser, there by the restore.
    story = [c["loser"]["version"] for c in listed(cluster, "--key", "customer=story", "order=1")]
    assert cluster.cli("conflicts", "restore", TABLE, *story, "--yes").returncode == 2
    assert cluster.cli("conflicts", "restore", TABLE, both, "--yes").returncode == 2
    again = cluster.cli("conflicts", "restore", TABLE, both, "--yes", "--even-if-changed", "--to",
                        third.name)
    assert again.returncode == 0, again.stderr
    # A delete that lost.
    assert cluster.cli("conflicts", "restore", TABLE, gone, "--yes").returncode == 0
    settle(cluster)
    for region in cluster:
        assert read(region, "gone") is None and read(region, "both") == "from the first"
    # What was restored replaced what it knew: no new conflict.
    assert len(listed(cluster)) == 3


def metrics(cluster):
    text = http_get(cluster[0].admin_url("/metrics"))[1]
    assert f'meridian_conflicts_total{{table="{TABLE}",written="here"}} 3' in text
    assert f'meridian_conflict_ledger_entries{{table="{TABLE}"}} 3' in text
    assert f'meridian_conflict_ledger_dropped_total{{table="{TABLE}"}} 0' in text


def test_pages_refuse_what_they_cannot_read(orders):
    region = orders[0]
    nested = urllib.parse.quote("[" * 1_500)
    for leaf, query, word in (
            ("conflicts", "limit=1001", "limit"), ("conflicts", "limit=-1", "limit"),
            ("conflicts", "from_ms=soon", "from_ms"), ("conflicts", "to_ms=1e3", "to_ms"),
            ("conflicts", "to_ms=281474976710656", "to_ms"), ("conflicts", "key=zz", "key"),
            ("conflicts", "version=00", "version"), ("conflicts", "after_version=ab1", "after_version"),
            ("conflicts", "key_json=%7B%22customer%22%3A%7B%22S%22%3A%22a%22%7D%7D", "key_json"),
            ("conflicts", f"key_json={nested}", "key_json"), ("conflicts", "key_json=%", "key_json"),
            ("history", "", "key"), ("history", "key_json=null", "key_json"), ("history", "key=f", "key")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(region.admin_url(f"/v1/tables/{TABLE}/{leaf}?{query}"), timeout=5)
        assert refused.value.code == 400, query[:80]
        assert word in json.loads(refused.value.read())["error"], query[:80]
    for leaf in ("conflicts", "history"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(region.admin_url(f"/v1/tables/Nothing/{leaf}"), timeout=5)
        assert refused.value.code == 404
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(region.admin_url(f"/v1/tables/{TABLE}/conflicts"), b"", timeout=5)
    assert refused.value.code == 405
    assert json.loads(http_get(region.admin_url(f"/v1/tables/{TABLE}/conflicts?limit=0"))[1])["entries"] == []


def test_a_write_can_ask_for_a_version(orders):
    region = orders[0]

    def put_if(version, value):
        request = json.dumps({"TableName": TABLE, "Item": {**key("v"), "value": {"S": value}}})
        call = urllib.request.Request(region.url("table", "/"), request.encode(), {
            "X-Amz-Target": "DynamoDB_20120810.PutItem", "X-Meridian-If-Version": version,
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request,"
                             " SignedHeaders=host, Signature=" + "0" * 64})
        try:
            with urllib.request.urlopen(call) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return json.loads(error.read())["__type"].split("#")[-1]

    def version():
        rows = json.loads(http_get(region.admin_url(f"/v1/tables/{TABLE}/rows"))[1])["rows"]
        return rows[0]["version_hex"]

    assert put_if("none", "1") == 200
    assert put_if("none", "2") == "ConditionalCheckFailedException"
    before = version()
    assert put_if(before, "3") == 200
    assert put_if(before, "4") == "ConditionalCheckFailedException"
    assert put_if("soon", "5") == "ValidationException"
    assert read(region, "v") == "3"


def test_why_tells_the_story_of_an_item(orders):
    cluster = orders
    first, second, third = cluster
    conflict_between(cluster)
    story = cluster.cli_json("why", TABLE, "customer=story", "order=1")
    assert story["key"] == key("story")
    versions = story["versions"]
    assert [v["fate"] for v in versions][-1] == "stands"
    fates = [(v["origin"], v["image"]["value"]["S"], v["fate"]) for v in versions]
    assert fates == [
        (first.name, "before", "replaced"),
        (first.name, "from the first", "lost"),
        (second.name, "from the second", "replaced"),
        (second.name, "from the second, again", "stands")]
    assert versions[1]["parent"] == versions[2]["parent"] == versions[0]["version"]
    assert versions[3]["parent"] == versions[2]["version"]
    assert versions[3]["context"] == {first.name: versions[0]["version"],
                                      second.name: versions[2]["version"]}
    assert versions[1]["rule"].startswith("to ") and " later by " in versions[1]["rule"]
    assert "beaten" in versions[1]["regions"][first.name]
    assert all("stands" in seen for seen in versions[3]["regions"].values())
    assert len(versions[3]["regions"]) == 3
    assert versions[1]["committed_us"] > 10**15

    text = cluster.cli("why", TABLE, json.dumps(key("story"))).stdout
    assert len(text.splitlines()) == 5 and third.name in text.splitlines()[0].lower()
    # A region that is down is told, and the rest of the story stands.
    third.node.stop()
    partly = cluster.cli("why", TABLE, "customer=story", "order=1")
    assert partly.returncode == 0 and third.name in partly.stderr
    assert cluster.cli("why", TABLE, "customer=nobody", "order=1").returncode == 1
    assert cluster.cli("why", TABLE, "customer=both").returncode == 2
