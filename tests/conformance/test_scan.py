"""Scan: paging, filters, parallel scan."""

import pytest

from support import N, S, create_table, error, invalid, text, unique
from test_query import pages


@pytest.fixture(scope="module")
def full(dynamodb):
    """A table of its own, since a scan sees everything."""
    name = create_table(dynamodb, p="S", c="N")
    for start in range(0, 100, 25):
        dynamodb.batch_write_item(RequestItems={name: [
            {"PutRequest": {"Item": {"p": S(f"p{n % 7}"), "c": N(n), "even": {"BOOL": n % 2 == 0}}}}
            for n in range(start, start + 25)]})
    yield name
    dynamodb.delete_table(TableName=name)


def numbers(items):
    return sorted(int(i["c"]["N"]) for i in items)


def test_scan_finds_everything_once(dynamodb, full):
    answer = dynamodb.scan(TableName=full)
    assert answer["Count"] == answer["ScannedCount"] == 100
    assert numbers(answer["Items"]) == list(range(100))
    assert "LastEvaluatedKey" not in answer


@pytest.mark.parametrize("limit", [1, 7, 99, 100, 101])
def test_paging(dynamodb, full, limit):
    if limit == 1:
        found = pages(dynamodb.scan, TableName=full, Limit=limit, ConsistentRead=True)
    else:
        found = pages(dynamodb.scan, TableName=full, Limit=limit)
    assert numbers(found) == list(range(100))


def test_order_inside_a_partition(dynamodb, full):
    # A scan returns the items of one partition together, sorted.
    by_partition = {}
    for item in dynamodb.scan(TableName=full)["Items"]:
        by_partition.setdefault(item["p"]["S"], []).append(int(item["c"]["N"]))
    assert all(c == sorted(c) for c in by_partition.values())


@pytest.mark.parametrize("segments", [1, 2, 5, 64])
def test_parallel_scan(dynamodb, full, segments):
    found = []
    for segment in range(segments):
        found += pages(dynamodb.scan, TableName=full, Limit=10, Segment=segment,
                       TotalSegments=segments)
    assert numbers(found) == list(range(100))


def test_parallel_scan_shares_the_work(dynamodb, full):
    # With seven partitions and four segments, one segment must not hold everything.
    counts = [dynamodb.scan(TableName=full, Segment=s, TotalSegments=4)["Count"] for s in range(4)]
    assert sum(counts) == 100 and max(counts) < 100


def test_filter(dynamodb, full):
    answer = dynamodb.scan(TableName=full, FilterExpression="even = :t AND c < :n",
                           ExpressionAttributeValues={":t": {"BOOL": True}, ":n": N(50)})
    assert numbers(answer["Items"]) == list(range(0, 50, 2))
    assert answer["ScannedCount"] == 100


def test_filter_and_limit(dynamodb, full):
    found = pages(dynamodb.scan, TableName=full, Limit=9, FilterExpression="even = :t",
                  ExpressionAttributeValues={":t": {"BOOL": True}})
    assert numbers(found) == list(range(0, 100, 2))


def test_count_and_projection(dynamodb, full):
    answer = dynamodb.scan(TableName=full, Select="COUNT")
    assert answer["Count"] == 100 and "Items" not in answer
    answer = dynamodb.scan(TableName=full, ProjectionExpression="c", Limit=3)
    assert all(set(i) == {"c"} for i in answer["Items"])


def test_empty_table(dynamodb, new_table):
    answer = dynamodb.scan(TableName=new_table(p="S"))
    assert answer["Items"] == [] and answer["Count"] == answer["ScannedCount"] == 0
    assert "LastEvaluatedKey" not in answer


def test_errors(dynamodb, full):
    with invalid(text("The TotalSegments parameter is required but was not present in the request "
                      "when Segment parameter is present")):
        dynamodb.scan(TableName=full, Segment=0)
    with invalid(text("The Segment parameter is required but was not present in the request when "
                      "parameter TotalSegments is present")):
        dynamodb.scan(TableName=full, TotalSegments=2)
    with invalid(text("The Segment parameter is zero-based and must be less than parameter "
                      "TotalSegments: Segment: 5 is not less than TotalSegments: 5")):
        dynamodb.scan(TableName=full, Segment=5, TotalSegments=5)
    for total in (0, 1000001):
        with invalid():
            dynamodb.scan(TableName=full, Segment=0, TotalSegments=total)
    with invalid("Limit.*greater than or equal to 1"):
        dynamodb.scan(TableName=full, Limit=0)
    with invalid():
        dynamodb.scan(TableName=full, ExclusiveStartKey={"p": S("x")})
    with invalid("Invalid FilterExpression"):
        dynamodb.scan(TableName=full, FilterExpression="size = ")
    with error("ResourceNotFoundException", text("Requested resource not found")):
        dynamodb.scan(TableName=unique())
