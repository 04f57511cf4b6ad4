"""PutItem, GetItem, DeleteItem: keys, ReturnValues, projection."""

import pytest

from support import L, M, N, S, error, get, invalid, text, unique

NO_TABLE = text("Requested resource not found")


def test_put_replaces_the_whole_item(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item={**key, "a": S("1"), "b": S("2")})
    dynamodb.put_item(TableName=table_s, Item={**key, "a": S("3")})
    assert get(dynamodb, table_s, key) == {**key, "a": S("3")}


def test_get_of_nothing_has_no_item(dynamodb, table_s, key):
    # Absent, not null and not empty: SDKs turn the latter into an item.
    assert "Item" not in dynamodb.get_item(TableName=table_s, Key=key)


def test_delete(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item=key)
    dynamodb.delete_item(TableName=table_s, Key=key)
    assert get(dynamodb, table_s, key) is None
    dynamodb.delete_item(TableName=table_s, Key=key)  # of nothing: a success


def test_sort_key_tells_items_apart(dynamodb, table_ss, key):
    for c in ("", "a", "b")[1:]:
        dynamodb.put_item(TableName=table_ss, Item={**key, "c": S(c), "v": S(c)})
    assert get(dynamodb, table_ss, {**key, "c": S("a")})["v"] == S("a")
    dynamodb.delete_item(TableName=table_ss, Key={**key, "c": S("a")})
    assert get(dynamodb, table_ss, {**key, "c": S("a")}) is None
    assert get(dynamodb, table_ss, {**key, "c": S("b")})


def test_keys_do_not_run_together(dynamodb, table_ss):
    # ("ab", "c") and ("a", "bc") must not meet in the store's key encoding.
    pairs = [("k\x00", "a"), ("k", "\x00a"), ("k", "a"), ("ka", "b"), ("k", "ab"), ("k\x00\x01", "")]
    pairs = [p for p in pairs if p[1]]
    for p, c in pairs:
        dynamodb.put_item(TableName=table_ss, Item={"p": S(p), "c": S(c), "v": S(repr((p, c)))})
    for p, c in pairs:
        assert get(dynamodb, table_ss, {"p": S(p), "c": S(c)})["v"] == S(repr((p, c)))


def test_unknown_table(dynamodb, key):
    name = unique()
    with error("ResourceNotFoundException", NO_TABLE):
        dynamodb.put_item(TableName=name, Item=key)
    with error("ResourceNotFoundException", NO_TABLE):
        dynamodb.get_item(TableName=name, Key=key)
    with error("ResourceNotFoundException", NO_TABLE):
        dynamodb.delete_item(TableName=name, Key=key)
    with error("ResourceNotFoundException", NO_TABLE):
        dynamodb.update_item(TableName=name, Key=key)


def test_put_without_the_key(dynamodb, table_ss, key):
    with invalid(text("One or more parameter values were invalid: Missing the key p in the item")):
        dynamodb.put_item(TableName=table_ss, Item={"c": S("x")})
    with invalid(text("One or more parameter values were invalid: Missing the key c in the item")):
        dynamodb.put_item(TableName=table_ss, Item=key)


def test_put_with_a_key_of_another_type(dynamodb, table_s):
    with invalid(text("One or more parameter values were invalid: Type mismatch for key p expected: "
                      "S actual: N")):
        dynamodb.put_item(TableName=table_s, Item={"p": N(1)})


@pytest.mark.parametrize("bad", [{}, {"q": S("x")}, {"p": N(1)}, {"p": S("x"), "more": S("y")}])
def test_key_that_does_not_match_the_schema(dynamodb, table_s, bad):
    message = text("The provided key element does not match the schema")
    with invalid(message):
        dynamodb.get_item(TableName=table_s, Key=bad)
    with invalid(message):
        dynamodb.delete_item(TableName=table_s, Key=bad)
    with invalid(message):
        dynamodb.update_item(TableName=table_s, Key=bad, UpdateExpression="REMOVE x")


def test_empty_key_value(dynamodb, table_s, table_ss, key):
    words = "One or more parameter values .*AttributeValue for a key attribute cannot contain an " \
            "empty string value. Key: "
    with invalid(words + "p"):
        dynamodb.put_item(TableName=table_s, Item={"p": S("")})
    with invalid(words + "p"):
        dynamodb.get_item(TableName=table_s, Key={"p": S("")})
    with invalid(words + "c"):
        dynamodb.put_item(TableName=table_ss, Item={**key, "c": S("")})


def test_put_return_values(dynamodb, table_s, key):
    first, second = {**key, "v": S("1")}, {**key, "v": S("2")}
    answer = dynamodb.put_item(TableName=table_s, Item=first, ReturnValues="ALL_OLD")
    assert "Attributes" not in answer
    answer = dynamodb.put_item(TableName=table_s, Item=second, ReturnValues="ALL_OLD")
    assert answer["Attributes"] == first
    assert "Attributes" not in dynamodb.put_item(
        TableName=table_s, Item=first, ReturnValues="NONE")


def test_delete_return_values(dynamodb, table_s, key):
    item = {**key, "v": S("1")}
    dynamodb.put_item(TableName=table_s, Item=item)
    answer = dynamodb.delete_item(TableName=table_s, Key=key, ReturnValues="ALL_OLD")
    assert answer["Attributes"] == item
    answer = dynamodb.delete_item(TableName=table_s, Key=key, ReturnValues="ALL_OLD")
    assert "Attributes" not in answer


@pytest.mark.parametrize("value", ["ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"])
def test_return_values_that_only_update_knows(dynamodb, table_s, key, value):
    with invalid():
        dynamodb.put_item(TableName=table_s, Item=key, ReturnValues=value)
    with invalid():
        dynamodb.delete_item(TableName=table_s, Key=key, ReturnValues=value)


def test_return_values_unknown_word(dynamodb, table_s, key):
    with invalid("Value 'DOG' at 'returnValues' failed to satisfy constraint: Member must satisfy "
                 "enum value set"):
        dynamodb.put_item(TableName=table_s, Item=key, ReturnValues="DOG")


# ------------------------------------------------------------------------------------- projection

DOCUMENT = {"a": S("1"), "b": N(2), "m": M(x=N(1), y=M(z=S("deep")), w=L(N(1), N(2), N(3))),
            "l": L(N(0), M(q=N(1)), N(2))}


@pytest.fixture
def document(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item={**key, **DOCUMENT})
    return key


@pytest.mark.parametrize("expression, expected", [
    ("a", {"a": S("1")}),
    ("a, b", {"a": S("1"), "b": N(2)}),
    ("nothing", {}),
    ("m.x", {"m": M(x=N(1))}),
    ("m.y.z, m.x", {"m": M(x=N(1), y=M(z=S("deep")))}),
    ("l[1]", {"l": L(M(q=N(1)))}),
    ("l[2], l[0]", {"l": L(N(0), N(2))}),
    ("l[1].q", {"l": L(M(q=N(1)))}),
    ("l[9]", {}),
    ("m.w[2]", {"m": M(w=L(N(3)))}),
    ("a.b", {}),
    ("a[0]", {}),
    ("  a ,b  ", {"a": S("1"), "b": N(2)}),
])
def test_projection(dynamodb, table_s, document, expression, expected):
    answer = dynamodb.get_item(TableName=table_s, Key=document, ProjectionExpression=expression)
    assert answer.get("Item") == expected


def test_projection_with_names(dynamodb, table_s, document):
    answer = dynamodb.get_item(TableName=table_s, Key=document, ProjectionExpression="#m.#y, #p",
                               ExpressionAttributeNames={"#m": "m", "#y": "y", "#p": "p"})
    assert answer["Item"] == {"m": M(y=M(z=S("deep"))), **document}


@pytest.mark.parametrize("expression, words", [
    ("", "The expression can not be empty"),
    ("a,", "Syntax error"),
    ("a b", "Syntax error"),
    ("a, a", "Two document paths overlap"),
    ("m, m.x", "Two document paths overlap"),
    ("m.x, m[0]", "Two document paths conflict"),
    ("size", "reserved keyword; reserved keyword: size"),
    ("#x", "An expression attribute name used in the document path is not defined; attribute name: #x"),
    (":x", "Syntax error"),
    ("a = b", "Syntax error"),
])
def test_projection_errors(dynamodb, table_s, key, expression, words):
    with invalid("^Invalid ProjectionExpression: .*" + words):
        dynamodb.get_item(TableName=table_s, Key=key, ProjectionExpression=expression)


def test_names_must_be_used(dynamodb, table_s, key):
    with invalid(text("Value provided in ExpressionAttributeNames unused in expressions: keys: {#y}")):
        dynamodb.get_item(TableName=table_s, Key=key, ProjectionExpression="#x",
                          ExpressionAttributeNames={"#x": "x", "#y": "y"})
    with invalid("ExpressionAttributeNames can only be specified when using expressions"):
        dynamodb.get_item(TableName=table_s, Key=key, ExpressionAttributeNames={"#x": "x"})


def test_attributes_to_get(dynamodb, table_s, document):
    answer = dynamodb.get_item(TableName=table_s, Key=document, AttributesToGet=["a", "m", "none"])
    assert answer["Item"] == {"a": DOCUMENT["a"], "m": DOCUMENT["m"]}


def test_attributes_to_get_beside_an_expression(dynamodb, table_s, key):
    with invalid(text("Can not use both expression and non-expression parameters in the same request: "
                      "Non-expression parameters: {AttributesToGet} Expression parameters: "
                      "{ProjectionExpression}")):
        dynamodb.get_item(TableName=table_s, Key=key, AttributesToGet=["a"],
                          ProjectionExpression="a")
