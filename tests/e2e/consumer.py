"""A stream consumer written with an SDK alone.

It does what the Kinesis Client Library does: lists the shards, reads a shard only after its parent has
been read to its end, polls open shards, and at the end of a shard looks for its children.
"""

import threading
import time


class Consumer(threading.Thread):
    def __init__(self, streams, arn, handle, idle=0.05):
        super().__init__(daemon=True)
        self.streams = streams
        self.arn = arn
        self.handle = handle  # called with (shard id, record), one thread
        self.idle = idle
        self.finished = set()
        self.iterators = {}
        self.parents = {}
        self.ending = threading.Event()
        self.failure = None

    def discover(self):
        start = {}
        while True:
            page = self.streams.describe_stream(StreamArn=self.arn, **start)["StreamDescription"]
            for shard in page["Shards"]:
                self.parents.setdefault(shard["ShardId"], shard.get("ParentShardId"))
            if "LastEvaluatedShardId" not in page:
                break
            start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}
        for shard, parent in self.parents.items():
            # A parent that was trimmed away is not listed, and cannot be waited for.
            ready = parent is None or parent not in self.parents or parent in self.finished
            if ready and shard not in self.iterators and shard not in self.finished:
                self.iterators[shard] = self.streams.get_shard_iterator(
                    StreamArn=self.arn, ShardId=shard,
                    ShardIteratorType="TRIM_HORIZON")["ShardIterator"]

    def poll(self):
        """One round over all open shards; the number of records that it brought."""
        count, ended = 0, False
        for shard, position in list(self.iterators.items()):
            answer = self.streams.get_records(ShardIterator=position)
            for record in answer["Records"]:
                self.handle(shard, record)
            count += len(answer["Records"])
            if "NextShardIterator" in answer:
                self.iterators[shard] = answer["NextShardIterator"]
            else:
                del self.iterators[shard]
                self.finished.add(shard)
                ended = True
        if ended:
            self.discover()
        return count

    def run(self):
        try:
            self.discover()
            last_look = time.monotonic()
            while not self.ending.is_set():
                if not self.poll():
                    time.sleep(self.idle)
                if time.monotonic() - last_look > 2:
                    self.discover()
                    last_look = time.monotonic()
        except Exception as error:  # noqa: BLE001 - shown by finish()
            self.failure = error

    def finish(self):
        self.ending.set()
        self.join(30)
        if self.failure:
            raise self.failure


def drain(streams, arn):
    """All records of a stream that are there now, by shard."""
    by_shard = {}
    consumer = Consumer(streams, arn, lambda shard, r: by_shard.setdefault(shard, []).append(r))
    consumer.discover()
    while consumer.poll():
        pass
    return by_shard
