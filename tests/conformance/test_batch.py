"""BatchGetItem and BatchWriteItem."""

import pytest

from support import N, S, error, get, invalid, text, unique


def put(**item):
    return {"PutRequest": {"Item": item}}


def test_write_and_get(dynamodb, table_s, table_ss):
    keys = [unique() for _ in range(10)]
    answer = dynamodb.batch_write_item(RequestItems={
        table_s: [put(p=S(k), v=N(1)) for k in keys],
        table_ss: [put(p=S(k), c=S("c")) for k in keys]})
    assert answer["UnprocessedItems"] == {}  # a map, never missing: loops wait for it to be empty
    answer = dynamodb.batch_get_item(RequestItems={
        table_s: {"Keys": [{"p": S(k)} for k in keys + [unique()]]},
        table_ss: {"Keys": [{"p": S(k), "c": S("c")} for k in keys[:3]], "ConsistentRead": True}})
    assert answer["UnprocessedKeys"] == {}
    assert sorted(i["p"]["S"] for i in answer["Responses"][table_s]) == sorted(keys)
    assert len(answer["Responses"][table_ss]) == 3


def test_write_replaces_and_deletes(dynamodb, table_s):
    a, b, c = (unique() for _ in range(3))
    dynamodb.batch_write_item(RequestItems={table_s: [put(p=S(a), v=N(1)), put(p=S(b), v=N(1))]})
    dynamodb.batch_write_item(RequestItems={table_s: [
        put(p=S(a), w=N(2)), {"DeleteRequest": {"Key": {"p": S(b)}}},
        {"DeleteRequest": {"Key": {"p": S(c)}}}]})
    assert get(dynamodb, table_s, {"p": S(a)}) == {"p": S(a), "w": N(2)}
    assert get(dynamodb, table_s, {"p": S(b)}) is None


def test_get_of_nothing(dynamodb, table_s):
    answer = dynamodb.batch_get_item(RequestItems={table_s: {"Keys": [{"p": S(unique())}]}})
    assert answer["Responses"] == {table_s: []}


def test_get_with_projection(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item={**key, "a": N(1), "b": N(2)})
    answer = dynamodb.batch_get_item(RequestItems={table_s: {
        "Keys": [key], "ProjectionExpression": "#a", "ExpressionAttributeNames": {"#a": "a"}}})
    assert answer["Responses"][table_s] == [{"a": N(1)}]
    answer = dynamodb.batch_get_item(RequestItems={table_s: {
        "Keys": [key], "AttributesToGet": ["b", "p"]}})
    assert answer["Responses"][table_s] == [{**key, "b": N(2)}]


def test_get_stops_at_sixteen_megabytes(dynamodb, table_s):
    # What does not fit comes back as UnprocessedKeys in the shape of a request.
    keys = [unique() for _ in range(45)]
    for k in keys:
        dynamodb.put_item(TableName=table_s, Item={"p": S(k), "x": S("x" * 390_000)})
    waiting, found, rounds = {table_s: {"Keys": [{"p": S(k)} for k in keys]}}, [], 0
    while waiting:
        answer = dynamodb.batch_get_item(RequestItems=waiting)
        found += [i["p"]["S"] for i in answer["Responses"][table_s]]
        waiting = answer["UnprocessedKeys"]
        rounds += 1
        assert rounds < 10
    assert sorted(found) == sorted(keys) and rounds >= 2
    for k in keys:
        dynamodb.delete_item(TableName=table_s, Key={"p": S(k)})


def test_write_limits(dynamodb, table_s):
    dynamodb.batch_write_item(RequestItems={table_s: [put(p=S(unique())) for _ in range(25)]})
    with invalid():
        dynamodb.batch_write_item(RequestItems={table_s: [put(p=S(unique())) for _ in range(26)]})
    with invalid():
        dynamodb.batch_write_item(RequestItems={})
    with invalid():
        dynamodb.batch_write_item(RequestItems={table_s: []})


def test_get_limits(dynamodb, table_s):
    dynamodb.batch_get_item(RequestItems={
        table_s: {"Keys": [{"p": S(unique())} for _ in range(100)]}})
    with invalid("100|Too many items"):
        dynamodb.batch_get_item(RequestItems={
            table_s: {"Keys": [{"p": S(unique())} for _ in range(101)]}})
    with invalid():
        dynamodb.batch_get_item(RequestItems={})
    with invalid():
        dynamodb.batch_get_item(RequestItems={table_s: {"Keys": []}})


def test_duplicates(dynamodb, table_s, table_n):
    k = S(unique())
    message = text("Provided list of item keys contains duplicates")
    with invalid(message):
        dynamodb.batch_write_item(RequestItems={table_s: [put(p=k, v=N(1)), put(p=k, v=N(2))]})
    with invalid(message):
        dynamodb.batch_write_item(RequestItems={
            table_s: [put(p=k), {"DeleteRequest": {"Key": {"p": k}}}]})
    with invalid(message):
        dynamodb.batch_get_item(RequestItems={table_s: {"Keys": [{"p": k}, {"p": k}]}})
    # Equal by value, however it is spelled.
    with invalid(message):
        dynamodb.batch_write_item(RequestItems={table_n: [put(p=N("1")), put(p=N("1.0"))]})
    assert get(dynamodb, table_s, {"p": k}) is None


def test_one_bad_request_spoils_the_batch(dynamodb, table_s):
    # Validation comes first, so nothing of a bad batch is written.
    good = unique()
    for bad in (put(q=S("x")), put(p=N(1)), {"DeleteRequest": {"Key": {"q": S("x")}}},
                put(p=S("y"), x={"SS": []}), put(p=S("big"), x=S("x" * 410_000)), {},
                {"PutRequest": {"Item": {"p": S("a")}}, "DeleteRequest": {"Key": {"p": S("b")}}}):
        with invalid():
            dynamodb.batch_write_item(RequestItems={table_s: [put(p=S(good)), bad]})
    assert get(dynamodb, table_s, {"p": S(good)}) is None


def test_unknown_table(dynamodb, table_s):
    good = unique()
    with error("ResourceNotFoundException", text("Requested resource not found")):
        dynamodb.batch_write_item(RequestItems={
            table_s: [put(p=S(good))], unique(): [put(p=S("x"))]})
    assert get(dynamodb, table_s, {"p": S(good)}) is None
    with error("ResourceNotFoundException", text("Requested resource not found")):
        dynamodb.batch_get_item(RequestItems={unique(): {"Keys": [{"p": S("x")}]}})


@pytest.mark.parametrize("bad", [{"q": S("x")}, {"p": N(1)}, {"p": S("x"), "q": S("y")}])
def test_get_with_a_bad_key(dynamodb, table_s, bad):
    with invalid(text("The provided key element does not match the schema")):
        dynamodb.batch_get_item(RequestItems={table_s: {"Keys": [bad]}})
