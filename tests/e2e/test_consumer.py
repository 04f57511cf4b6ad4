"""A consumer made with an SDK alone sees every change once and in order, wherever it was written."""

import threading

from cluster import wait_until
from consumer import Consumer
from fastclient import Client
from load import key_of

WRITES = 10_000
WRITERS_PER_REGION = 4  # several, so that the node can commit them in groups
KEYS_PER_WRITER = 20


def write_counted(address, name, count, failures):
    """`count` changes over the writer's own keys; the value of each is its number on that key."""
    client = Client(address, timeout=30)
    try:
        for number in range(count):
            key = key_of(f"{name}-{number % KEYS_PER_WRITER}")
            turn = number // KEYS_PER_WRITER
            client.call("PutItem", {"TableName": "Orders", "Item": {
                **key, "turn": {"N": str(turn)}, "from": {"S": name}}})
    except Exception as error:  # noqa: BLE001 - raised by the test
        failures.append(error)
    finally:
        client.close()


def test_every_change_once_and_in_order(orders):
    # Writes in three regions, a consumer in each; keys are not shared between regions, so no write
    # can lose against another and every one has to show.
    count = len(orders.regions) * WRITERS_PER_REGION
    shares = [WRITES // count + (i < WRITES % count) for i in range(count)]
    consumers, seen = [], []
    for region in orders:
        records = []
        arn = region.client().describe_table(TableName="Orders")["Table"]["LatestStreamArn"]
        one = Consumer(region.client("dynamodbstreams", attempts=3), arn,
                       lambda shard, record, into=records: into.append((shard, record)))
        one.start()
        consumers.append(one)
        seen.append(records)
    failures = []
    writers = [threading.Thread(target=write_counted, args=(
        orders[i % 3].address("table"), f"w{i}", share, failures)) for i, share in enumerate(shares)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert not writer.is_alive()
    assert not failures
    try:
        wait_until(lambda: all(len(r) >= WRITES for r in seen) or any(c.failure for c in consumers),
                   60, f"{WRITES} records everywhere: {[len(r) for r in seen]}")
    finally:
        for one in consumers:
            one.finish()
    for region, records in zip(orders, seen):
        check(region.name, records, shares)


def check(region, records, shares):
    assert len(records) == WRITES, f"{region}: {len(records)} records"
    assert len({r["eventID"] for _, r in records}) == WRITES, f"{region}: an eventID came twice"
    by_key, shard_of, last_in_shard = {}, {}, {}
    for shard, record in records:
        body = record["dynamodb"]
        key = body["Keys"]["customer"]["S"]
        assert shard_of.setdefault(key, shard) == shard, f"{region}: {key} changed its shard"
        number = int(body["SequenceNumber"])
        assert number > last_in_shard.get(shard, -1), f"{region}: {shard} goes back"
        last_in_shard[shard] = number
        old, new = body.get("OldImage"), body["NewImage"]
        turn, before = int(new["turn"]["N"]), by_key.get(key)
        assert turn == (0 if before is None else before + 1), f"{region}: {key} {before} -> {turn}"
        assert (old is None) == (before is None)
        assert old is None or int(old["turn"]["N"]) == before, f"{region}: {key} has a wrong old image"
        assert record["eventName"] == ("INSERT" if before is None else "MODIFY")
        by_key[key] = turn
    expected = {f"w{i}-{k}": (share - 1 - k) // KEYS_PER_WRITER
                for i, share in enumerate(shares) for k in range(KEYS_PER_WRITER)}
    assert by_key == expected
