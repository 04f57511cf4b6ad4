"""Everything at once: random faults on random daemons, writers in all regions, and each region's stream
replayed against its table."""

import random
import time

from consumer import drain
from load import Load


def disturb(rng, process):
    kind = rng.choice(["kill", "stop", "pause", "pause"])
    if kind == "pause":
        process.pause()
        time.sleep(rng.uniform(0.1, 1.5))
        process.resume()
        return
    if kind == "kill":
        process.kill()
    else:
        assert process.stop() == 0, process.log_tail()
    time.sleep(rng.uniform(0, 0.5))
    process.start()


def replay(region):
    """The table as its stream tells it; every record must fit to the one before it."""
    arn = region.client().describe_table(TableName="Orders")["Table"]["LatestStreamArn"]
    state, seen = {}, set()
    for shard, records in drain(region.client("dynamodbstreams", attempts=3), arn).items():
        last = -1
        for record in records:
            body = record["dynamodb"]
            number, key = int(body["SequenceNumber"]), body["Keys"]["customer"]["S"]
            assert number > last and record["eventID"] not in seen, f"{region.name} {shard}: {record}"
            last = number
            seen.add(record["eventID"])
            old, new = body.get("OldImage"), body.get("NewImage")
            assert old == state.get(key), f"{region.name} {key}: {old} does not follow {state.get(key)}"
            assert old != new, f"{region.name} {key}: a record of no change"
            assert record["eventName"] == (
                "INSERT" if old is None else "REMOVE" if new is None else "MODIFY")
            if new is None:
                del state[key]
            else:
                state[key] = new
    return {key: image.get("v", {}).get("S") for key, image in state.items()}


def test_random_faults(orders, load_seconds):
    seed = random.randrange(10**6)
    print(f"seed {seed}")  # chooses the faults; their timing is the machine's
    rng = random.Random(seed)
    with Load(orders, per_region=2, shared=60, own=30, seed=seed, pause=0.001) as load:
        end = time.monotonic() + load_seconds
        while time.monotonic() < end:
            disturb(rng, rng.choice(orders.processes()))
            time.sleep(rng.uniform(0, 0.5))
    found = load.settle()
    for region in orders:
        assert replay(region) == found[region.name], region.name
