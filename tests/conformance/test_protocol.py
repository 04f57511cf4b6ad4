"""What lies under the operations: JSON 1.0 over HTTP, its headers and its errors."""

import zlib

import pytest

from support import STREAMS_TARGET, TARGET, S, invalid, raw


def put_body(table, key):
    return {"TableName": table, "Item": key}


def test_headers_of_a_success(endpoint, table_s, key):
    answer = raw(endpoint.url, TARGET + ".PutItem", put_body(table_s, key))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert answer.body == b"{}"
    # The Kinesis adapter reads the request id of every answer, and SDKs check the sum.
    assert len(answer.headers["x-amzn-RequestId"]) >= 32
    assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.body)


def test_headers_of_an_error(endpoint):
    answer = raw(endpoint.url, TARGET + ".PutItem", put_body("no-such-table", {"p": S("x")}))
    assert answer.status == 400
    assert answer.json["__type"] == (
        "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException")
    assert answer.json["message"] == "Requested resource not found"
    assert answer.headers["x-amzn-RequestId"]
    assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(answer.body)


def test_request_ids_differ(endpoint, table_s, key):
    ids = {raw(endpoint.url, TARGET + ".PutItem",
               put_body(table_s, key)).headers["x-amzn-RequestId"] for _ in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("operation", [
    "TransactWriteItems", "TransactGetItems", "UpdateTimeToLive", "ExecuteStatement", "TagResource",
    "CreateBackup", "UpdateContinuousBackups", "NoSuchOperation", "putitem", ""])
def test_operations_that_do_not_exist(endpoint, operation):
    # No stubs: what is not there says so, and scripts can tell.
    answer = raw(endpoint.url, f"{TARGET}.{operation}", {})
    assert answer.status == 400
    assert answer.json["__type"].endswith("#UnknownOperationException")


@pytest.mark.parametrize("target", [None, "", "PutItem", "DynamoDB_20111205.PutItem", "x.y.z"])
def test_targets_of_another_service(endpoint, target):
    answer = raw(endpoint.url, target, {})
    assert answer.status in (400, 404)
    assert b"UnknownOperationException" in answer.body or answer.status == 404


@pytest.mark.parametrize("body", [
    b"", b"{", b"not json", b"{} trailing", b'{"TableName":}', b"\xff\xfe{}"])
def test_malformed_json(endpoint, body):
    answer = raw(endpoint.url, TARGET + ".PutItem", body)
    assert answer.status == 400
    assert answer.json["__type"].endswith("#SerializationException")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null"])
def test_json_that_is_no_object(endpoint, body):
    answer = raw(endpoint.url, TARGET + ".PutItem", body)
    assert answer.status == 400
    assert answer.json["__type"].rpartition("#")[2] in (
        "SerializationException", "ValidationException")


@pytest.mark.parametrize("body", [
    {"TableName": 5, "Item": {}},
    {"TableName": "abc", "Item": []},
    {"TableName": "abc", "Item": "x"},
    {"TableName": "abc", "Item": {"p": "x"}},
    {"TableName": "abc", "Item": {"p": {"S": 5}}},
    {"TableName": "abc", "Item": {"p": {"BOOL": {}}}},
    {"TableName": "abc", "Item": {"p": {"SS": "x"}}},
    {"TableName": "abc", "Item": {"p": {"M": []}}},
])
def test_json_of_the_wrong_shape(endpoint, body):
    answer = raw(endpoint.url, TARGET + ".PutItem", body)
    assert answer.status == 400
    assert answer.json["__type"].endswith("#SerializationException")


def test_deeply_nested_json_is_refused_not_fatal(endpoint, table_s, key):
    depth = 100_000
    body = b'{"TableName":"x","Item":{"p":' + b'{"L":[' * depth + b"]}" * depth + b"}}"
    assert raw(endpoint.url, TARGET + ".PutItem", body).status == 400
    assert raw(endpoint.url, TARGET + ".PutItem", put_body(table_s, key)).status == 200


def test_unknown_members_are_ignored(endpoint, table_s, key):
    # A newer SDK may send members that this server does not know; AWS ignores unknown ones.
    body = dict(put_body(table_s, key), NoSuchMember=1)
    assert raw(endpoint.url, TARGET + ".PutItem", body).status == 200


def test_null_members_count_as_absent(endpoint, table_s, key):
    body = dict(put_body(table_s, key), ReturnValues=None, ConditionExpression=None)
    assert raw(endpoint.url, TARGET + ".PutItem", body).status == 200


def test_both_apis_on_either_port(endpoint, table_s):
    # One service name signs for both, so clients are often given a single URL.
    for url in {endpoint.url, endpoint.streams_url}:
        tables = raw(url, TARGET + ".ListTables", {})
        assert tables.status == 200 and table_s in tables.json["TableNames"]
        streams = raw(url, STREAMS_TARGET + ".ListStreams", {})
        assert streams.status == 200 and "Streams" in streams.json


def test_unicode_survives(endpoint, dynamodb, table_s):
    # Escapes, astral characters and control characters all have to come back as they were.
    words = "\u00e9\u4e2d\U0001f600\u0000\u001f\"\\/\u2028"
    dynamodb.put_item(TableName=table_s, Item={"p": S("u" + words), "v": S(words)})
    assert dynamodb.get_item(TableName=table_s, Key={"p": S("u" + words)})["Item"]["v"] == S(words)


def test_lone_surrogate_does_not_break_the_server(endpoint, table_s, key):
    body = (b'{"TableName":"%s","Item":{"p":{"S":"%s"},"v":{"S":"\\ud800"}}}'
            % (table_s.encode(), key["p"]["S"].encode()))
    assert raw(endpoint.url, TARGET + ".PutItem", body).status in (200, 400)
    assert raw(endpoint.url, TARGET + ".ListTables", {}).status == 200


def test_large_request_over_the_limit(endpoint):
    # 16 MiB is DynamoDB's limit on a request.  Past it an answer, not a broken server.
    try:
        assert raw(endpoint.url, TARGET + ".PutItem", b" " * (17 * 1024 * 1024)).status in (400, 413)
    except OSError:
        pass  # closed while we were still sending, which HTTP allows
    assert raw(endpoint.url, TARGET + ".ListTables", {}).status == 200


def test_missing_table_name(dynamodb):
    with invalid("tableName|TableName"):
        dynamodb.put_item(Item={"p": S("x")})
