"""Requests that no SDK would send: an error in AWS's own shape, and the server goes on as before."""

import http.client
import json
import socket
import urllib.parse

import pytest

from support import TARGET, N, S, get, raw


def short_type(answer):
    return answer.json["__type"].rpartition("#")[2]


def item(table, key, value):
    return (b'{"TableName":"%s","Item":{"p":{"S":"%s"},"v":%s}}'
            % (table.encode(), key["p"]["S"].encode(), value))


def connect(endpoint):
    where = urllib.parse.urlsplit(endpoint.url)
    return socket.create_connection((where.hostname, where.port), timeout=20)


def read_all(connection):
    out = b""
    while part := connection.recv(65536):
        out += part
    return out


def head(length, target="PutItem", extra=""):
    return (f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {TARGET}.{target}\r\n"
            f"Content-Length: {length}\r\n{extra}\r\n").encode()


def test_every_truncation_is_refused(endpoint, table_s, key):
    whole = item(table_s, key, b'{"M":{"x":{"L":[{"N":"1"},{"BOOL":true}]}}}')
    for size in range(len(whole)):
        answer = raw(endpoint.url, TARGET + ".PutItem", whole[:size])
        assert answer.status == 400, whole[:size]
        assert short_type(answer) == "SerializationException", whole[:size]
    assert raw(endpoint.url, TARGET + ".PutItem", whole).status == 200


@pytest.mark.parametrize("value", [
    b'{"S":"\xff"}', b'{"S":"\xc3"}', b'{"S":"\xed\xa0\x80"}', b'{"\xfe":{"S":"x"}}',  # no UTF-8
    b'{"S":"\x00"}', b'{"S":"\n"}',  # control characters have to be escaped
    b'{"S":"\\ud800"}', b'{"S":"\\x41"}', b'{"S":"\\u12"}',
    b'{"N":1}', b'{"N":1e400}', b'{"N":-}', b'{"N":01}', b'{"S":NaN}', b'{"BOOL":"true"}',
    b"{'S':'x'}", b'{"S":"x",}', b'{"S":"x"//c\n}',
])
def test_what_is_no_json_or_of_a_wrong_type(endpoint, table_s, key, value):
    answer = raw(endpoint.url, TARGET + ".PutItem", item(table_s, key, value))
    assert answer.status == 400
    assert short_type(answer) == "SerializationException"


@pytest.mark.parametrize("number", ["1" * 10_000, "9" * 39, "1e999999999999999999999", "0x10",
                                    "Infinity", "NaN", "1e", "--1", " 1", "1 ", "1\u0000", "", "٣"])
def test_numbers_that_are_none(endpoint, table_s, key, number):
    body = {"TableName": table_s, "Item": dict(key, v=N(number))}
    answer = raw(endpoint.url, TARGET + ".PutItem", body)
    assert answer.status == 400
    assert short_type(answer) == "ValidationException"


@pytest.mark.parametrize("limit", [1e400, 2**63, -2**63 - 1, 10**30, 1.5e300])
def test_numbers_beyond_an_integer(endpoint, table_s, limit):
    body = json.dumps({"TableName": table_s, "Limit": limit}).replace("Infinity", "1e400").encode()
    answer = raw(endpoint.url, TARGET + ".Scan", body)
    assert answer.status == 400
    assert short_type(answer) in ("SerializationException", "ValidationException")


def test_a_name_given_twice_has_one_value(endpoint, dynamodb, table_s, key):
    body = (b'{"TableName":"nowhere","TableName":"%s","Item":{"p":{"S":"%s"},'
            b'"v":{"S":"first"},"v":{"S":"second"}}}'
            % (table_s.encode(), key["p"]["S"].encode()))
    answer = raw(endpoint.url, TARGET + ".PutItem", body)
    if answer.status == 200:
        assert get(dynamodb, table_s, key)["v"] == S("second")
    else:
        assert short_type(answer) in ("SerializationException", "ValidationException")


@pytest.mark.parametrize("content_type", [
    None, "", "application/json", "text/plain; charset=latin-1", "application/x-amz-json-9.9"])
def test_other_content_types(endpoint, table_s, key, content_type):
    # Told apart by the target alone; whatever the type says, the answer has the shape of an API.
    answer = raw(endpoint.url, TARGET + ".PutItem", {"TableName": table_s, "Item": key},
                 headers={"Content-Type": content_type})
    assert answer.status in (200, 400, 404, 415)
    assert isinstance(answer.json, dict)


@pytest.mark.parametrize("target", [
    "\u00ff", TARGET + ".PutItem x", TARGET + "." + "x" * 5000, TARGET + "..PutItem", "." * 100])
def test_odd_targets(endpoint, target):
    answer = raw(endpoint.url, target, {})
    assert answer.status in (400, 404)
    assert b"UnknownOperationException" in answer.body


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_other_methods(endpoint, method):
    where = urllib.parse.urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
    for _ in range(2):  # the connection outlives the refusal
        connection.request(method, "/", body=b"{}", headers={"X-Amz-Target": TARGET + ".ListTables"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status in (400, 404, 405), body
    connection.close()


def test_a_body_over_the_limit_is_refused_before_it_is_sent(endpoint):
    with connect(endpoint) as connection:
        connection.sendall(head(16 * 1024 * 1024 + 1, extra="Expect: 100-continue\r\n"))
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


def test_a_head_over_the_limit(endpoint, table_s, key):
    answer = raw(endpoint.url, TARGET + ".PutItem", {"TableName": table_s, "Item": key},
                 headers={"X-Filler": "x" * 100_000})
    assert answer.status in (400, 431)


def test_pipelined_requests_are_answered_in_order(endpoint, table_s, key):
    bodies = [b"{", json.dumps({"TableName": table_s, "Item": key}).encode(), b"[]",
              json.dumps({"TableName": table_s}).encode()]
    with connect(endpoint) as connection:
        connection.sendall(b"".join(head(len(b)) + b for b in bodies[:-1]) +
                           head(len(bodies[-1]), "DescribeTable", "Connection: close\r\n") +
                           bodies[-1])
        answers = read_all(connection).split(b"HTTP/1.1 ")[1:]
    assert [a[:3] for a in answers] == [b"400", b"200", b"400", b"200"]


def test_expected_continue_and_chunks(endpoint, table_s, key):
    body = json.dumps({"TableName": table_s, "Item": key}).encode()
    with connect(endpoint) as connection:
        connection.sendall(head(len(body), extra="Expect: 100-continue\r\n"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(c), c)
                          for c in (body[i:i + 7] for i in range(0, len(body), 7)))
        connection.sendall(head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") +
                           chunks + b"0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
