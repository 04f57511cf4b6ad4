"""UpdateItem: update expressions and ReturnValues."""

import pytest

from support import B, L, M, N, S, get, invalid, text


def update(dynamodb, table, key, expression, values=None, names=None, **more):
    if values:
        more["ExpressionAttributeValues"] = values
    if names:
        more["ExpressionAttributeNames"] = names
    return dynamodb.update_item(TableName=table, Key=key, UpdateExpression=expression, **more)


START = {"a": N(5), "s": S("x"), "l": L(N(0), N(1), N(2)), "m": M(x=N(1), y=M(z=N(2))),
         "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}}


@pytest.mark.parametrize("expression, values, changed", [
    ("SET a = :v", {":v": S("new")}, {"a": S("new")}),
    ("SET b = :v", {":v": L()}, {"b": L()}),
    ("SET b = a", None, {"b": N(5)}),
    ("SET a = a + :v", {":v": N(3)}, {"a": N(8)}),
    ("SET a = a - :v", {":v": N("0.5")}, {"a": N("4.5")}),
    ("SET a = :v - a", {":v": N(5)}, {"a": N(0)}),
    ("SET b = a + m.x", None, {"b": N(6)}),
    ("SET b = if_not_exists(b, :v)", {":v": N(1)}, {"b": N(1)}),
    ("SET a = if_not_exists(a, :v)", {":v": N(1)}, {}),
    ("SET b = if_not_exists(b, :v) + :w", {":v": N(0), ":w": N(1)}, {"b": N(1)}),
    ("SET l = list_append(l, :v)", {":v": L(N(3))}, {"l": L(N(0), N(1), N(2), N(3))}),
    ("SET l = list_append(:v, l)", {":v": L(N(3))}, {"l": L(N(3), N(0), N(1), N(2))}),
    ("SET b = list_append(if_not_exists(b, :e), :v)", {":v": L(N(1)), ":e": L()}, {"b": L(N(1))}),
    ("SET l[1] = :v", {":v": S("one")}, {"l": L(N(0), S("one"), N(2))}),
    ("SET l[9] = :v", {":v": S("end")}, {"l": L(N(0), N(1), N(2), S("end"))}),
    # Two indexes past the end are appended in their own order, not in the order written.
    ("SET l[9] = :v, l[7] = :w", {":v": S("9"), ":w": S("7")},
     {"l": L(N(0), N(1), N(2), S("7"), S("9"))}),
    ("SET m.x = :v", {":v": N(7)}, {"m": M(x=N(7), y=M(z=N(2)))}),
    ("SET m.w = :v", {":v": N(7)}, {"m": M(x=N(1), y=M(z=N(2)), w=N(7))}),
    ("SET m.y.z = m.x, m.x = m.y.z", None, {"m": M(x=N(2), y=M(z=N(1)))}),
    # All right sides see the item as it was before.
    ("SET a = s, s = a", None, {"a": S("x"), "s": N(5)}),
    ("REMOVE a", None, {"a": None}),
    ("REMOVE nothing", None, {}),
    ("REMOVE l[1]", None, {"l": L(N(0), N(2))}),
    ("REMOVE l[0], l[1]", None, {"l": L(N(2))}),
    ("REMOVE l[0] SET l[1] = :v", {":v": S("one")}, {"l": L(S("one"), N(2))}),
    ("REMOVE l[7]", None, {}),
    ("REMOVE m.y.z", None, {"m": M(x=N(1), y=M())}),
    ("REMOVE m.y, a", None, {"m": M(x=N(1)), "a": None}),
    ("ADD a :v", {":v": N("1.5")}, {"a": N("6.5")}),
    ("ADD a :v", {":v": N(-7)}, {"a": N(-2)}),
    ("ADD b :v", {":v": N(1)}, {"b": N(1)}),
    ("ADD m.x :v", {":v": N(1)}, {"m": M(x=N(2), y=M(z=N(2)))}),
    ("ADD ss :v", {":v": {"SS": ["b", "c"]}}, {"ss": {"SS": ["a", "b", "c"]}}),
    ("ADD b :v", {":v": {"NS": ["1"]}}, {"b": {"NS": ["1"]}}),
    ("DELETE ss :v", {":v": {"SS": ["b", "z"]}}, {"ss": {"SS": ["a"]}}),
    # A set cannot be empty, so the attribute goes.
    ("DELETE ns :v", {":v": {"NS": ["1", "2.0"]}}, {"ns": None}),
    ("DELETE nothing :v", {":v": {"SS": ["a"]}}, {}),
    ("SET b = :v REMOVE s ADD a :v DELETE ss :w", {":v": N(1), ":w": {"SS": ["a"]}},
     {"b": N(1), "s": None, "a": N(6), "ss": {"SS": ["b"]}}),
    ("remove s set b = :v", {":v": N(1)}, {"b": N(1), "s": None}),
])
def test_update(dynamodb, table_s, key, expression, values, changed):
    dynamodb.put_item(TableName=table_s, Item={**key, **START})
    update(dynamodb, table_s, key, expression, values)
    expected = {n: v for n, v in {**key, **START, **changed}.items() if v is not None}
    found = get(dynamodb, table_s, key)
    for attribute in found.values():
        for kind in ("SS", "NS"):
            if kind in attribute:
                attribute[kind].sort()
    assert found == expected


def test_update_makes_the_item(dynamodb, table_s, key):
    update(dynamodb, table_s, key, "SET a = :v", {":v": N(1)})
    assert get(dynamodb, table_s, key) == {**key, "a": N(1)}


def test_update_without_expression_makes_a_key_only_item(dynamodb, table_s, key):
    dynamodb.update_item(TableName=table_s, Key=key)
    assert get(dynamodb, table_s, key) == key


def test_remove_on_a_missing_item_makes_nothing(dynamodb, table_s, key):
    # Unlike an update without expression: an update that only removes does not make the item.
    answer = update(dynamodb, table_s, key, "REMOVE a", ReturnValues="ALL_NEW")
    assert "Attributes" not in answer
    assert get(dynamodb, table_s, key) is None


def test_arithmetic_keeps_38_digits(dynamodb, table_s, key):
    update(dynamodb, table_s, key, "SET a = :v", {":v": N("9" * 37 + "8")})
    update(dynamodb, table_s, key, "SET a = a + :v", {":v": N(1)})
    assert get(dynamodb, table_s, key)["a"] == N("9" * 38)
    update(dynamodb, table_s, key, "SET a = :v + :w", {":v": N("0.1"), ":w": N("0.2")})
    assert get(dynamodb, table_s, key)["a"] == N("0.3")


def test_arithmetic_overflow(dynamodb, table_s, key):
    update(dynamodb, table_s, key, "SET a = :v", {":v": N("9.9e125")})
    with invalid("overflow"):
        update(dynamodb, table_s, key, "ADD a :v", {":v": N("9.9e125")})


def test_counter_under_concurrency(dynamodb, table_s, key):
    # Read-modify-write happens in the server: no increment may be lost.
    import concurrent.futures
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: update(dynamodb, table_s, key, "ADD a :v", {":v": N(1)}), range(80)))
    assert get(dynamodb, table_s, key)["a"] == N(80)


RETURN_START = {"a": N(1), "b": S("x"), "m": M(x=N(1), y=N(2)), "l": L(N(0), N(1))}


@pytest.mark.parametrize("kind, expression, values, expected", [
    ("NONE", "SET a = :v", {":v": N(2)}, None),
    ("ALL_OLD", "SET a = :v", {":v": N(2)}, RETURN_START),
    ("ALL_NEW", "SET a = :v", {":v": N(2)}, {**RETURN_START, "a": N(2)}),
    ("UPDATED_OLD", "SET a = :v, n = :v", {":v": N(2)}, {"a": N(1)}),
    ("UPDATED_NEW", "SET a = :v, n = :v", {":v": N(2)}, {"a": N(2), "n": N(2)}),
    ("UPDATED_OLD", "REMOVE b", None, {"b": S("x")}),
    ("UPDATED_NEW", "REMOVE b", None, None),
    ("UPDATED_NEW", "SET m.x = :v", {":v": N(9)}, {"m": M(x=N(9))}),
    ("UPDATED_OLD", "SET m.x = :v", {":v": N(9)}, {"m": M(x=N(1))}),
    ("UPDATED_NEW", "SET l[1] = :v", {":v": N(9)}, {"l": L(N(9))}),
    ("UPDATED_OLD", "SET n = :v", {":v": N(9)}, None),
    ("UPDATED_NEW", "ADD a :v", {":v": N(9)}, {"a": N(10)}),
])
def test_return_values(dynamodb, table_s, key, kind, expression, values, expected):
    dynamodb.put_item(TableName=table_s, Item={**key, **RETURN_START})
    answer = update(dynamodb, table_s, key, expression, values, ReturnValues=kind)
    if expected is not None and kind.startswith("ALL"):
        expected = {**key, **expected}
    assert answer.get("Attributes") == expected


def test_return_values_of_a_new_item(dynamodb, table_s, key):
    answer = dynamodb.update_item(TableName=table_s, Key=key, ReturnValues="ALL_OLD")
    assert "Attributes" not in answer
    answer = dynamodb.update_item(TableName=table_s, Key=key, ReturnValues="ALL_NEW")
    assert answer["Attributes"] == key


@pytest.mark.parametrize("expression, words", [
    ("", "The expression can not be empty"),
    ("SET", "Syntax error"),
    ("SET a", "Syntax error"),
    ("SET a = ", "Syntax error"),
    ("SET a = :v,", "Syntax error"),
    ("SET a = :v :v", "Syntax error"),
    ("SET a = :v + :v + :v", "Syntax error"),
    ("SET a = (:v", "Syntax error"),
    ("SET a = :v * :v", "Syntax error"),
    ("a = :v", "Syntax error"),
    ("REMOVE a = :v", "Syntax error"),
    ("ADD a", "Syntax error"),
    ("DROP a", "Syntax error"),
    ("SET a = :v SET b = :v", "The .SET. section can only be used once in an update expression"),
    ("SET a = :v, a = :v", "Two document paths overlap with each other; must remove or rewrite one of "
                           "these paths; path one: \\[a\\], path two: \\[a\\]"),
    ("SET m = :v, m.x = :v", "Two document paths overlap"),
    ("SET m.x = :v REMOVE m", "Two document paths overlap"),
    ("SET m.x = :v, m[0] = :v", "Two document paths conflict"),
    ("SET a = :none", "An expression attribute value used in expression is not defined; attribute "
                      "value: :none"),
    ("SET #u = :v", "An expression attribute name used in the document path is not defined"),
    ("SET size = :v", "Attribute name is a reserved keyword; reserved keyword: size"),
    ("SET a = nothing_like_it(:v)", "Invalid function name; function: nothing_like_it"),
    ("SET a = attribute_exists(b)", "function"),
    ("SET a = list_append(b)", "Incorrect number of operands"),
    ("SET a = list_append(b, :v)", "Incorrect operand type for operator or function; operator or "
                                   "function: list_append, operand type: N"),
    ("SET a = :s + :v", "Incorrect operand type for operator or function; operator or function: \\+, "
                        "operand type: S"),
    ("ADD a :s", "Incorrect operand type for operator or function; operator: ADD, operand type: "),
    ("DELETE a :v", "Incorrect operand type for operator or function; operator: DELETE, operand type: "),
])
def test_update_expression_errors(dynamodb, table_s, key, expression, words):
    values = {n: v for n, v in {":v": N(1), ":s": S("s")}.items() if n in expression or n == ":v"}
    with invalid("^Invalid UpdateExpression: .*" + words):
        update(dynamodb, table_s, key, expression, values)


@pytest.mark.parametrize("expression, values, words", [
    ("SET b = nothing", None,
     text("The provided expression refers to an attribute that does not exist in the item")),
    ("SET b = nothing + :v", {":v": N(1)},
     text("The provided expression refers to an attribute that does not exist in the item")),
    ("SET nothing.x = :v", {":v": N(1)},
     text("The document path provided in the update expression is invalid for update")),
    ("SET s.x = :v", {":v": N(1)},
     text("The document path provided in the update expression is invalid for update")),
    ("SET m[0] = :v", {":v": N(1)},
     text("The document path provided in the update expression is invalid for update")),
    ("REMOVE nothing.x", None,
     text("The document path provided in the update expression is invalid for update")),
    ("SET s = s + :v", {":v": N(1)},
     text("An operand in the update expression has an incorrect data type")),
    ("SET l = list_append(s, :v)", {":v": L(N(1))},
     text("An operand in the update expression has an incorrect data type")),
    ("ADD s :v", {":v": N(1)},
     text("An operand in the update expression has an incorrect data type")),
    ("ADD ss :v", {":v": {"NS": ["1"]}},
     text("An operand in the update expression has an incorrect data type")),
    ("DELETE ss :v", {":v": {"NS": ["1"]}},
     text("An operand in the update expression has an incorrect data type")),
])
def test_update_errors_from_the_item(dynamodb, table_s, key, expression, values, words):
    before = {**key, **START}
    dynamodb.put_item(TableName=table_s, Item=before)
    with invalid(words):
        update(dynamodb, table_s, key, expression, values)
    assert get(dynamodb, table_s, key)["a"] == START["a"]


@pytest.mark.parametrize("expression", ["SET p = :v", "REMOVE p", "ADD p :v", "SET p.x = :v"])
def test_key_cannot_be_updated(dynamodb, table_s, key, expression):
    with invalid(text("One or more parameter values were invalid: Cannot update attribute p. This "
                      "attribute is part of the key")):
        update(dynamodb, table_s, key, expression, {":v": N(1)} if ":v" in expression else None)


def test_binary_values(dynamodb, table_s, key):
    update(dynamodb, table_s, key, "SET a = :v ADD b :w", {":v": B(b"\x00"), ":w": {"BS": [b"1"]}})
    assert get(dynamodb, table_s, key) == {**key, "a": B(b"\x00"), "b": {"BS": [b"1"]}}


def test_a_removal_that_leads_nowhere_from_an_item_that_is_made(dynamodb, table_s, key):
    update(dynamodb, table_s, key, "SET a = :v REMOVE m.x", {":v": N(1)})
    assert get(dynamodb, table_s, key) == {**key, "a": N(1)}


@pytest.mark.parametrize("names, words", [
    ({"#a": ""}, "contains invalid value: Empty attribute name for key #a"),
    ({"#" + 255 * "a": "a"}, "key that is too long; size of key: 256"),
])
def test_names_that_no_attribute_has(dynamodb, table_s, key, names, words):
    with invalid(f"ExpressionAttributeNames .*{words}"):
        dynamodb.update_item(TableName=table_s, Key=key, ExpressionAttributeNames=names,
                             UpdateExpression=f"SET {next(iter(names))} = :v",
                             ExpressionAttributeValues={":v": N(1)})
    assert get(dynamodb, table_s, key) is None


def test_values_are_limited(dynamodb, table_s, key):
    half = {"B": b"x" * 1_100_000}
    with invalid("ExpressionAttributeValues exceeds max size"):
        dynamodb.scan(TableName=table_s, FilterExpression="a IN (:v, :w)",
                      ExpressionAttributeValues={":v": half, ":w": half})
