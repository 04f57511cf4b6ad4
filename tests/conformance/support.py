"""Helpers of the conformance suite: short forms for values, tables, errors and raw requests."""

import contextlib
import json
import re
import time
import urllib.error
import urllib.request
import uuid

import pytest
from botocore.exceptions import ClientError

TARGET = "DynamoDB_20120810"
STREAMS_TARGET = "DynamoDBStreams_20120810"
AUTHORIZATION = ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
                 "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + "0" * 64)


def S(text):
    return {"S": text}


def N(number):
    return {"N": str(number)}


def B(data):
    return {"B": data}


def L(*values):
    return {"L": list(values)}


def M(**values):
    return {"M": values}


def unique(prefix="t"):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def table_request(name, stream=None, **keys):
    """CreateTable's parameters for keys such as p="S", c="N" (partition key first)."""
    request = dict(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": t} for n, t in keys.items()],
        KeySchema=[{"AttributeName": n, "KeyType": k} for n, k in zip(keys, ("HASH", "RANGE"))])
    if stream:
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": stream}
    return request


def wait_active(dynamodb, name):
    for _ in range(300):
        if dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE":
            return
        time.sleep(0.1)
    raise AssertionError(f"{name} did not become ACTIVE")


def wait_gone(dynamodb, name):
    for _ in range(300):
        try:
            dynamodb.describe_table(TableName=name)
        except dynamodb.exceptions.ResourceNotFoundException:
            return
        time.sleep(0.1)
    raise AssertionError(f"{name} was not deleted")


def create_table(dynamodb, stream=None, **keys):
    name = unique()
    dynamodb.create_table(**table_request(name, stream, **keys))
    wait_active(dynamodb, name)
    return name


@contextlib.contextmanager
def error(code, *words):
    """The block must fail with this AWS error; the text must hold each of `words` (regexes, any case)."""
    with pytest.raises(ClientError) as caught:
        yield caught
    answer = caught.value.response["Error"]
    assert answer["Code"] == code, f"{answer['Code']}: {answer.get('Message')}"
    for word in words:
        assert re.search(word, answer.get("Message", ""), re.IGNORECASE), answer.get("Message")


def text(exact):
    """A whole message, as a word for error()."""
    return "^" + re.escape(exact) + "$"


def invalid(*words):
    return error("ValidationException", *words)


def get(dynamodb, table, key, **more):
    return dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True, **more).get("Item")


class Raw:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)


def raw(url, target, body, headers=None):
    """One HTTP request as it is, for what an SDK would never send.  `body`: bytes, or made JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": target,
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": AUTHORIZATION,
    }
    all_headers.update(headers or {})
    request = urllib.request.Request(
        url, data=data, method="POST",
        headers={n: v for n, v in all_headers.items() if v is not None})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return Raw(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as failure:
        return Raw(failure.code, failure.headers, failure.read())
