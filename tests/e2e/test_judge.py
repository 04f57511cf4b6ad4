"""The judgement of the load tests, judged: a check that never fails proves nothing."""

import types

from consumer import drain
from load import Write, last_possible, lost


def writer(own=(), **writes):
    """Writes are given as (value, acknowledged, time)."""
    return types.SimpleNamespace(own=list(own), writes={
        key: [Write("w", value, acked, at, at + 0.01) for value, acked, at in given]
        for key, given in writes.items()})


def problems(writers, found, shared=()):
    return lost(writers, {"region": found}, shared, slack_seconds=1.0)


def test_last_possible():
    writes = writer(k=[("a", True, 1), ("b", False, 2), ("c", True, 3), ("d", False, 4)]).writes["k"]
    assert [w.value for w in last_possible(writes)] == ["c", "d"]


def test_own_keys():
    one = writer(own=["k"], k=[("a", True, 1), ("b", True, 2), ("c", False, 3)])
    assert not problems([one], {"k": "b"})
    assert not problems([one], {"k": "c"})  # unknown, so it may have happened
    assert problems([one], {"k": "a"})  # an acknowledged write was lost
    assert problems([one], {})
    assert problems([one], {"k": "invented"})
    deleted = writer(own=["k"], k=[("a", True, 1), (None, True, 2)])
    assert not problems([deleted], {})
    assert problems([deleted], {"k": "a"})  # came back from the dead
    unknown = writer(own=["k"], k=[("a", False, 1)])
    assert not problems([unknown], {}) and not problems([unknown], {"k": "a"})


def test_shared_keys():
    one = writer(k=[("a", True, 1.0), ("b", True, 2.0)])
    two = writer(k=[("x", True, 1.5), ("y", False, 1.6)])
    assert not problems([one, two], {"k": "b"}, ["k"])
    assert not problems([one, two], {"k": "x"}, ["k"])  # within the slack
    assert problems([one, two], {"k": "a"}, ["k"])  # its own writer went on
    assert problems([one, two], {}, ["k"])  # nobody deleted it
    late = writer(k=[("late", True, 9.0)])
    assert problems([one, late], {"k": "b"}, ["k"])  # seven seconds older than the loser
    gone = writer(k=[(None, True, 2.5)])
    assert not problems([one, gone], {}, ["k"])


class FakeStreams:
    """Two generations of shards: the child must not be read before its parent's end."""

    def __init__(self):
        self.read = []
        self.shards = {"p": (None, [["1", "2"], ["3"]]), "c": ("p", [["4"], []])}

    def describe_stream(self, StreamArn, ExclusiveStartShardId=""):
        rest = [s for s in sorted(self.shards) if s > ExclusiveStartShardId][:1]
        out = {"Shards": [dict({"ShardId": s}, **(
            {"ParentShardId": self.shards[s][0]} if self.shards[s][0] else {})) for s in rest]}
        if rest and rest[-1] != max(self.shards):
            out["LastEvaluatedShardId"] = rest[-1]
        return {"StreamDescription": out}

    def get_shard_iterator(self, StreamArn, ShardId, ShardIteratorType):
        return {"ShardIterator": f"{ShardId}0"}

    def get_records(self, ShardIterator):
        shard, page = ShardIterator[0], int(ShardIterator[1:])
        pages = self.shards[shard][1]
        self.read.append(shard)
        answer = {"Records": pages[page] if page < len(pages) else []}
        if shard == "c" or page + 1 < len(pages):
            answer["NextShardIterator"] = f"{shard}{page + 1}"
        return answer


def test_consumer_reads_parents_first():
    fake = FakeStreams()
    assert drain(fake, "arn") == {"p": ["1", "2", "3"], "c": ["4"]}
    assert "".join(fake.read).startswith("ppc")
