"""ConditionExpression, on puts, updates and deletes."""

import re

import pytest

from support import B, L, M, N, S, error, get, invalid, text

FAILED = text("The conditional request failed")
ITEM = {"a": N(5), "s": S("hello"), "b": B(b"bytes"), "t": {"BOOL": True}, "z": {"NULL": True},
        "l": L(N(1), S("two"), M(x=N(3))), "m": M(k=S("v"), n=N(9), d=M(e=N(1))),
        "ss": {"SS": ["x", "y"]}, "ns": {"NS": ["1", "2"]}, "e": S("")}


@pytest.fixture(scope="module")
def item_key(dynamodb, table_s):
    key = {"p": S("conditions")}
    dynamodb.put_item(TableName=table_s, Item={**key, **ITEM})
    return key


def holds(dynamodb, table, key, condition, values=None, names=None):
    """Asks with a delete of nothing but the truth: an update that sets an unread attribute."""
    request = dict(TableName=table, Key=key, ConditionExpression=condition,
                   UpdateExpression="SET unread = :unread",
                   ExpressionAttributeValues={":unread": N(0), **(values or {})})
    if names:
        request["ExpressionAttributeNames"] = names
    try:
        dynamodb.update_item(**request)
        return True
    except dynamodb.exceptions.ConditionalCheckFailedException as failure:
        assert failure.response["Error"]["Message"] == "The conditional request failed"
        return False


V = {":1": N(1), ":5": N(5), ":6": N("6"), ":5.0": N("5.00"), ":h": S("hello"), ":he": S("he"),
     ":lo": S("lo"), ":x": S("x"), ":q": S("q"), ":by": B(b"by"), ":bytes": B(b"bytes"),
     ":t": {"BOOL": True}, ":f": {"BOOL": False}, ":null": {"NULL": True}, ":two": S("two"),
     ":v": S("v"), ":S": S("S"), ":N": S("N"), ":M": S("M"), ":NULL": S("NULL"),
     ":ss": {"SS": ["y", "x"]}, ":ss1": {"SS": ["x"]}, ":mm": M(e=N("1.0")), ":0": N(0),
     ":9": N(9), ":a": S("a"), ":zz": S("zz"), ":empty": S("")}


@pytest.mark.parametrize("expected, condition", [
    (True, "a = :5"), (False, "a = :6"), (True, "a = :5.0"), (False, "a = :h"),
    (True, "a <> :6"), (False, "a <> :5"), (True, "a <> :h"), (True, "nothing <> :5"),
    (True, "a < :6"), (False, "a < :5"), (True, "a <= :5"), (True, "a > :1"), (True, "a >= :5"),
    (False, "a > :6"), (False, "nothing < :5"), (False, "nothing = :5"), (False, "s < :5"),
    (True, "s > :a"), (True, "b > :by"), (True, "b = :bytes"), (True, "t = :t"), (False, "t = :f"),
    (True, "z = :null"), (True, "ss = :ss"), (False, "ss = :ss1"), (True, "m.d = :mm"),
    (True, "a BETWEEN :1 AND :6"), (True, "a BETWEEN :5 AND :5"), (False, "a BETWEEN :6 AND :9"),
    (True, "s BETWEEN :a AND :zz"), (False, "nothing BETWEEN :1 AND :9"),
    (True, "a IN (:1, :5)"), (False, "a IN (:1, :6)"), (True, "s IN (:5, :h)"),
    (True, "attribute_exists(a)"), (False, "attribute_exists(nothing)"), (True, "attribute_exists(p)"),
    (True, "attribute_exists(m.d.e)"), (False, "attribute_exists(m.nothing.e)"),
    (True, "attribute_exists(l[2].x)"), (False, "attribute_exists(l[3])"), (True, "attribute_exists(e)"),
    (True, "attribute_not_exists(nothing)"), (False, "attribute_not_exists(a)"),
    (True, "attribute_type(s, :S)"), (False, "attribute_type(s, :N)"), (True, "attribute_type(m, :M)"),
    (True, "attribute_type(z, :NULL)"), (False, "attribute_type(nothing, :S)"),
    (True, "begins_with(s, :he)"), (False, "begins_with(s, :lo)"), (True, "begins_with(b, :by)"),
    (False, "begins_with(a, :he)"), (False, "begins_with(nothing, :he)"), (True, "begins_with(s, :empty)"),
    (True, "contains(s, :lo)"), (False, "contains(s, :q)"), (True, "contains(ss, :x)"),
    (False, "contains(ss, :q)"), (True, "contains(l, :two)"), (False, "contains(l, :q)"),
    (True, "contains(ns, :1)"), (False, "contains(a, :5)"), (False, "contains(nothing, :5)"),
    (True, "size(s) = :5"), (True, "size(ss) < :5"), (True, "size(l) > :1"), (True, "size(e) = :0"),
    (True, "size(b) = :5"), (False, "size(a) = :1"), (False, "size(nothing) < :5"),
    (True, "NOT a = :6"), (False, "NOT a = :5"), (True, "NOT (a = :6 OR s = :q)"),
    (True, "a = :5 AND s = :h"), (False, "a = :5 AND s = :q"), (True, "a = :6 OR s = :h"),
    # AND binds tighter than OR, NOT tighter than AND.
    (True, "a = :5 OR a = :6 AND s = :q"), (False, "(a = :5 OR a = :6) AND s = :q"),
    (False, "NOT a = :5 AND s = :h"), (True, "NOT a = :5 OR s = :h"),
    (True, "(a = :5)"), (True, "((a = :5) AND s = :h)"), (True, ":5 = a"),
    (True, "m.k = :v"), (True, "l[0] = :1"),
    (True, "m.n >= l[0]"), (True, "  a=:5 and s=:h  "), (True, "a = :5 aNd NoT s = :q"),
    (True, "a between :1 and :6 and s in (:h)"),
])
def test_condition(dynamodb, table_s, item_key, expected, condition):
    used = set(re.findall(r":[A-Za-z0-9.]+", condition))
    values = {n.replace(".", "dot"): V[n] for n in used}
    condition = condition.replace(":5.0", ":5dot0")
    assert holds(dynamodb, table_s, item_key, condition, values) == expected


def test_condition_on_an_absent_item(dynamodb, table_s, key):
    # The everyday "create only if it is not there", twice.
    dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="attribute_not_exists(p)")
    with error("ConditionalCheckFailedException", FAILED):
        dynamodb.put_item(TableName=table_s, Item=key,
                          ConditionExpression="attribute_not_exists(p)")


def test_failed_condition_changes_nothing(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item={**key, "v": N(1)})
    no = dict(ConditionExpression="v = :no", ExpressionAttributeValues={":no": N(2)})
    with error("ConditionalCheckFailedException", FAILED):
        dynamodb.put_item(TableName=table_s, Item=key, **no)
    with error("ConditionalCheckFailedException", FAILED):
        dynamodb.delete_item(TableName=table_s, Key=key, **no)
    with error("ConditionalCheckFailedException", FAILED):
        dynamodb.update_item(TableName=table_s, Key=key, UpdateExpression="REMOVE v", **no)
    assert get(dynamodb, table_s, key) == {**key, "v": N(1)}


def test_old_item_on_failure(dynamodb, table_s, key):
    # Lease libraries read the present owner from the failed request.
    item = {**key, "owner": S("me")}
    dynamodb.put_item(TableName=table_s, Item=item)
    for call, more in ((dynamodb.put_item, {"Item": key}), (dynamodb.delete_item, {"Key": key}),
                       (dynamodb.update_item, {"Key": key})):
        with error("ConditionalCheckFailedException") as caught:
            call(TableName=table_s, ConditionExpression="attribute_not_exists(p)",
                 ReturnValuesOnConditionCheckFailure="ALL_OLD", **more)
        assert caught.value.response["Item"] == item
    with error("ConditionalCheckFailedException") as caught:
        dynamodb.delete_item(TableName=table_s, Key=key,
                             ConditionExpression="attribute_not_exists(p)")
    assert "Item" not in caught.value.response


def test_names(dynamodb, table_s, item_key):
    assert holds(dynamodb, table_s, item_key, "#m.#d.#e = :1 AND attribute_exists(#l[2].#x)", {":1": N(1)},
                 {"#m": "m", "#d": "d", "#e": "e", "#l": "l", "#x": "x"})
    # A placeholder stands for one name, even when that holds a dot.
    assert not holds(dynamodb, table_s, item_key, "attribute_exists(#n)", names={"#n": "m.d"})


@pytest.mark.parametrize("condition, words", [
    ("", "The expression can not be empty"),
    ("a", "Syntax error"),
    ("a =", "Syntax error"),
    ("a = :v :v", "Syntax error"),
    ("a == :v", "Syntax error"),
    ("(a = :v", "Syntax error"),
    ("a = :v)", "Syntax error"),
    ("a BETWEEN :v", "Syntax error"),
    ("NOT", "Syntax error"),
    ("a = 5", "Syntax error"),
    ("a = 'x'", "Syntax error"),
    ("a IN ()", "Syntax error"),
    ("a !", "Syntax error"),
    # AWS refuses what it calls redundant parentheses, which also bounds the parser's depth.
    ("((a = :v))", "The expression has redundant parentheses"),
    ("nofunction(a)", "Invalid function name; function: nofunction"),
    ("begins_with(a)", "Incorrect number of operands for operator or function; operator or function: "
                       "begins_with, number of operands: 1"),
    ("attribute_exists(a, b)", "Incorrect number of operands"),
    ("attribute_exists(:v)", "Operator or function requires a document path; operator or function: "
                             "attribute_exists"),
    ("a = :undefined", "An expression attribute value used in expression is not defined; attribute "
                       "value: :undefined"),
    ("#u = :v", "An expression attribute name used in the document path is not defined; attribute "
                "name: #u"),
    ("name = :v", "Attribute name is a reserved keyword; reserved keyword: name"),
    ("a = a", "The first operand must be distinct from the remaining operands"),
    ("size(a)", "The function is not allowed to be used this way in an expression; function: size"),
    ("attribute_exists(a) = :v", "The function is not allowed to be used this way in an expression"),
])
def test_condition_errors(dynamodb, table_s, key, condition, words):
    with invalid("^Invalid ConditionExpression: .*" + words.replace("(", r"\(").replace(")", r"\)")):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression=condition,
                          ExpressionAttributeValues={":v": N(1)})


def test_syntax_error_text(dynamodb, table_s, key):
    # The token that is wrong, and the text around it: people search for this.
    with invalid('^Invalid ConditionExpression: Syntax error; token: "=", near: "= ='):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="a = = :v",
                          ExpressionAttributeValues={":v": N(1)})


def test_operand_types(dynamodb, table_s, key):
    with invalid("Incorrect operand type for operator or function; operator or function: begins_with, "
                 "operand type: N"):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="begins_with(a, :v)",
                          ExpressionAttributeValues={":v": N(1)})
    with invalid("Incorrect operand type for operator or function; operator or function: <, operand "
                 "type: BOOL"):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="a < :v",
                          ExpressionAttributeValues={":v": {"BOOL": True}})
    with invalid("Invalid attribute type name found; type: X"):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="attribute_type(a, :v)",
                          ExpressionAttributeValues={":v": S("X")})
    with invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound"):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="a BETWEEN :v AND :w",
                          ExpressionAttributeValues={":v": N(2), ":w": N(1)})


def test_values_must_be_used(dynamodb, table_s, key):
    with invalid(text("Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}")):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="a = :v",
                          ExpressionAttributeValues={":v": N(1), ":w": N(1)})
    with invalid("ExpressionAttributeValues can only be specified when using expressions"):
        dynamodb.put_item(TableName=table_s, Item=key, ExpressionAttributeValues={":v": N(1)})
    with invalid("ExpressionAttributeValues must not be empty"):
        dynamodb.put_item(TableName=table_s, Item=key, ConditionExpression="attribute_exists(a)",
                          ExpressionAttributeValues={})


def test_expression_limits(dynamodb, table_s, key):
    # Long and deep expressions are refused by name, never by a broken stack.
    with invalid("Expression size has exceeded the maximum allowed size"):
        dynamodb.put_item(TableName=table_s, Item=key,
                          ConditionExpression="attribute_exists(" + "a" * 4096 + ")")
    with invalid():
        dynamodb.put_item(TableName=table_s, Item=key,
                          ConditionExpression="(" * 2000 + "attribute_exists(a)" + ")" * 2000)
    # A long row of NOTs may be refused or obeyed; the server must live to tell.
    for count in (299, 900):
        try:
            dynamodb.put_item(TableName=table_s, Item=key,
                              ConditionExpression="NOT " * count + "attribute_exists(a)")
        except dynamodb.exceptions.ClientError as failure:
            assert failure.response["Error"]["Code"] in (
                "ValidationException", "ConditionalCheckFailedException")
