"""Writers that remember what they were told, and the judgement of what must be there afterwards.

Every write carries a value that no other write has.  A writer does one thing at a time, so its own
writes of a key are ordered; it notes each one as acknowledged or unknown (the connection broke while
waiting).  What was refused or never sent has not happened and is not noted.
"""

import dataclasses
import random
import threading
import time

from cluster import wait_until
from fastclient import Client, NotSent, Refused, Unknown

RETRYABLE = {"InternalServerError", "ThrottlingException", "ProvisionedThroughputExceededException",
             "RequestLimitExceeded", "ServiceUnavailable"}


@dataclasses.dataclass
class Write:
    writer: str
    value: str | None  # None: a delete
    acknowledged: bool
    started: float
    ended: float


def key_of(name):
    return {"customer": {"S": name}, "order": {"S": "o"}}


class Writer(threading.Thread):
    """Writes keys in one region until stopped.  `keys` are shared with others, `own` are its alone."""

    def __init__(self, name, address, table, keys, own=(), seed=0, pause=0.0):
        super().__init__(name=name, daemon=True)
        self.address = address
        self.table = table
        self.keys = list(keys)
        self.own = list(own)
        self.rng = random.Random(f"{name}-{seed}")
        self.pause = pause
        self.writes = {}  # key -> [Write], in order
        self.acknowledged = 0
        self.refused = {}
        self.failure = None
        self.ending = threading.Event()

    def run(self):
        client = Client(self.address)
        number = 0
        try:
            while not self.ending.is_set():
                number += 1
                pool = self.own if self.own and self.rng.random() < 0.5 else self.keys
                self.write(client, self.rng.choice(pool or self.own), f"{self.name}#{number}")
                if self.pause:
                    time.sleep(self.pause)
        except Exception as error:  # noqa: BLE001 - shown by finish(), in the test's own thread
            self.failure = error
        finally:
            client.close()

    def write(self, client, key, value):
        kind = self.rng.random()
        started = time.time()
        try:
            if kind < 0.5:
                client.call("PutItem", {"TableName": self.table, "Item": {
                    **key_of(key), "v": {"S": value}}})
            elif kind < 0.85:
                client.call("UpdateItem", {
                    "TableName": self.table, "Key": key_of(key),
                    "UpdateExpression": "SET v = :v ADD n :one",
                    "ExpressionAttributeValues": {":v": {"S": value}, ":one": {"N": "1"}}})
            else:
                value = None
                client.call("DeleteItem", {"TableName": self.table, "Key": key_of(key)})
            acknowledged = True
        except NotSent:
            time.sleep(0.05)
            return
        except Refused as error:
            if error.kind not in RETRYABLE and error.status < 500:
                raise
            self.refused[error.kind] = self.refused.get(error.kind, 0) + 1
            time.sleep(0.05)
            return
        except Unknown:
            acknowledged = False
        self.writes.setdefault(key, []).append(
            Write(self.name, value, acknowledged, started, time.time()))
        self.acknowledged += acknowledged

    def finish(self):
        self.ending.set()
        self.join(30)
        assert not self.is_alive(), f"writer {self.name} hangs"
        if self.failure:
            raise self.failure


class Load:
    """Writers in some regions of a cluster, all of the same table; and the judgement afterwards.

        with Load(cluster, cluster.regions[:2]) as load:
            ...                     # break something
        load.settle()               # all regions agree, and nothing acknowledged is lost

    Half of each writer's writes go to keys of its own, where the last acknowledged value must be the
    final one; the other half to keys that all writers share.
    """

    def __init__(self, cluster, regions=None, table="Orders", per_region=1, shared=100, own=50,
                 seed=0, pause=0.0, prefix=""):
        """`prefix`: of keys and values, for a second load of the same table, which would find keys that
        it has not written itself with what the first one left there."""
        self.cluster = cluster
        self.table = table
        self.shared = [f"{prefix}s{n:03}" for n in range(shared)]
        self.writers = [
            Writer(f"{prefix}w{i}{j}", region.address("table"), table, self.shared,
                   [f"{prefix}own{i}{j}-{n:03}" for n in range(own)], seed=seed, pause=pause)
            for i, region in enumerate(cluster.regions if regions is None else regions)
            for j in range(per_region)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        for writer in self.writers:
            writer.ending.set()

    def acknowledged(self):
        """Of each writer, so far."""
        return [writer.acknowledged for writer in self.writers]

    def wait_progress(self, writes=50, seconds=30):
        """Until every writer has had so many more writes acknowledged."""
        before = self.acknowledged()
        wait_until(lambda: all(now >= then + writes
                               for now, then in zip(self.acknowledged(), before)),
                   seconds, f"every writer gets {writes} more writes acknowledged")

    def settle(self, regions=None, seconds=60, slack_seconds=3.0):
        """Ends the writers; returns what each region that has the table holds."""
        for writer in self.writers:
            writer.finish()
        self.cluster.wait_identical(self.table, seconds)
        found = {r.name: contents(r.address("table"), self.table) for r in regions or self.cluster}
        problems = lost(self.writers, found, self.shared, slack_seconds)
        assert not problems, "\n".join(problems)
        return found


def last_possible(writes):
    """Of one writer's writes of one key: the last acknowledged one and the unknown ones after it."""
    out = []
    for write in writes:
        if write.acknowledged:
            out = [write]
        else:
            out.append(write)
    return out


def contents(address, table):
    """Value by key, of one region."""
    client = Client(address, timeout=30)
    try:
        return {i["customer"]["S"]: i.get("v", {}).get("S") for i in client.scan(table)}
    finally:
        client.close()


def judge_own(writers, found):
    """Keys without competition: exactly the last acknowledged value, or a later unknown one."""
    problems = []
    for writer in writers:
        for key in writer.own:
            writes = writer.writes.get(key, [])
            possible = last_possible(writes)
            values = {w.value for w in possible}
            if not any(w.acknowledged for w in possible):
                values.add(None)  # never acknowledged at all, so it need not be there
            if found.get(key) not in values:
                problems.append(f"{key}: found {found.get(key)}, but it must be one of {values}")
    return problems


def judge_shared(writers, found, keys, slack_seconds):
    """Keys with competition: the last word of some writer, and not older than `slack_seconds` beside
    an acknowledged write of another.  The slack covers clocks that ran ahead over a restart."""
    problems = []
    for key in keys:
        possible = [w for writer in writers for w in last_possible(writer.writes.get(key, []))]
        value = found.get(key)
        explained = [w for w in possible if w.value == value]
        if not possible and value is None:
            continue
        if not explained:
            if value is None and not any(w.acknowledged for w in possible):
                continue
            problems.append(f"{key}: {value} is not the last word of any writer: "
                            f"{[(w.writer, w.value) for w in possible]}")
            continue
        newest = max((w.started for w in possible if w.acknowledged), default=0)
        if max(w.ended for w in explained) + slack_seconds < newest:
            problems.append(f"{key}: {value} won over an acknowledged write that came much later")
    return problems


def lost(writers, found_by_region, shared_keys, slack_seconds=3.0):
    """Every problem in every region, each with the region's name in front."""
    out = []
    for region, found in found_by_region.items():
        for problem in (judge_own(writers, found)
                        + judge_shared(writers, found, shared_keys, slack_seconds)):
            out.append(f"{region}: {problem}")
    return out
