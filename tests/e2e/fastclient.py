"""A DynamoDB client of few instructions, so that load tests measure the server and not the SDK."""

import http.client
import json

AUTHORIZATION = ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
                 "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + "0" * 64)


class Refused(Exception):
    """The server answered with an error: the write has not happened."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.kind = body.get("__type", "").rpartition("#")[2]


class NotSent(Exception):
    """No connection: the write has not happened."""


class Unknown(Exception):
    """The connection broke while waiting: the write may have happened or not."""


class Client:
    """One connection.  Not safe for several threads."""

    def __init__(self, address, timeout=10):
        self.address = address
        self.timeout = timeout
        self.connection = None

    def call(self, operation, body, target="DynamoDB_20120810"):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=self.timeout)
                self.connection.connect()
        except OSError as error:
            self.close()
            raise NotSent(str(error)) from error
        try:
            self.connection.request("POST", "/", json.dumps(body), {
                "Content-Type": "application/x-amz-json-1.0", "Authorization": AUTHORIZATION,
                "X-Amz-Date": "20260101T000000Z", "X-Amz-Target": f"{target}.{operation}"})
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unknown(repr(error)) from error
        parsed = json.loads(text or b"{}")
        if answer.status != 200:
            raise Refused(answer.status, parsed)
        return parsed

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def scan(self, table):
        """All items, consistently."""
        items, start = [], {}
        while True:
            page = self.call("Scan", {"TableName": table, "ConsistentRead": True, **start})
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return items
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
