"""All ten attribute types, numbers, and what makes a value invalid."""

import decimal

import pytest

from support import B, L, M, N, S, get, invalid, text

ALL_TYPES = {
    "s": S("text"), "n": N("-12.5"), "b": B(b"\x00\x01\xff"),
    "bool": {"BOOL": True}, "no": {"BOOL": False}, "null": {"NULL": True},
    "l": L(S("x"), N(1), L(), M()), "m": M(a=S("1"), b=M(c={"NULL": True})),
    "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["2", "1"]}, "bs": {"BS": [b"2", b"1"]},
    "empty_s": S(""), "empty_b": B(b""), "empty_l": L(), "empty_m": M(),
}


def normal(item):
    """Sets have no order on the wire."""
    return {n: {t: sorted(v) if t in ("SS", "NS", "BS") else v for t, v in a.items()}
            for n, a in item.items()}


def test_all_types_round_trip(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item={**key, **ALL_TYPES})
    assert normal(get(dynamodb, table_s, key)) == normal({**key, **ALL_TYPES})


def test_all_types_round_trip_through_update(dynamodb, table_s, key):
    names = {f"#{n}": n for n in ALL_TYPES}
    dynamodb.update_item(
        TableName=table_s, Key=key, ExpressionAttributeNames=names,
        ExpressionAttributeValues={f":{n}": v for n, v in ALL_TYPES.items()},
        UpdateExpression="SET " + ", ".join(f"#{n} = :{n}" for n in ALL_TYPES))
    assert normal(get(dynamodb, table_s, key)) == normal({**key, **ALL_TYPES})


@pytest.mark.parametrize("sent, stored", [
    ("0", "0"), ("-0", "0"), ("0.0", "0"), ("00", "0"), ("0e5", "0"),
    ("1.0", "1"), ("1.50", "1.5"), ("0001", "1"), ("1e2", "100"), ("1E+2", "100"),
    ("12.5e-1", "1.25"), (".5", "0.5"), ("5.", "5"), ("-.5", "-0.5"), ("100", "100"),
    ("1e-3", "0.001"), ("123456789012345678901234567890", "123456789012345678901234567890"),
])
def test_number_canonical_form(dynamodb, table_s, key, sent, stored):
    dynamodb.put_item(TableName=table_s, Item={**key, "n": N(sent)})
    assert get(dynamodb, table_s, key)["n"] == N(stored)


@pytest.mark.parametrize("sent", [
    "9" * 38, "-" + "9" * 38, "0." + "1" * 38, "1" * 19 + "." + "2" * 19, "1e125", "1e-130",
    "9.9999999999999999999999999999999999999e125", "-9.9999999999999999999999999999999999999e125",
    "-1e-130", "1" * 38 + "0" * 80,
])
def test_number_extremes_keep_their_value(dynamodb, table_s, key, sent):
    dynamodb.put_item(TableName=table_s, Item={**key, "n": N(sent)})
    with decimal.localcontext(decimal.Context(prec=60)):
        assert decimal.Decimal(get(dynamodb, table_s, key)["n"]["N"]) == decimal.Decimal(sent)


@pytest.mark.parametrize("sent, message", [
    ("1" * 39, "Attempting to store more than 38 significant digits in a Number"),
    ("0.5" + "1" * 38, "Attempting to store more than 38 significant digits in a Number"),
    ("1e126", "Number overflow. Attempting to store a number with magnitude larger than supported "
              "range"),
    ("-1e126", "Number overflow. Attempting to store a number with magnitude larger than supported "
               "range"),
    ("1e-131", "Number underflow. Attempting to store a number with magnitude smaller than "
               "supported range"),
])
def test_number_out_of_range(dynamodb, table_s, key, sent, message):
    with invalid(text(message)):
        dynamodb.put_item(TableName=table_s, Item={**key, "n": N(sent)})


@pytest.mark.parametrize("sent", ["abc", "1x", "--1", "1e", "0x10", "NaN", "Infinity", "1 2", "."])
def test_not_a_number(dynamodb, table_s, key, sent):
    with invalid(text(f"The parameter cannot be converted to a numeric value: {sent}")):
        dynamodb.put_item(TableName=table_s, Item={**key, "n": N(sent)})


def test_empty_number(dynamodb, table_s, key):
    with invalid("cannot be converted to a numeric value"):
        dynamodb.put_item(TableName=table_s, Item={**key, "n": N("")})


def test_number_keys_are_equal_by_value(dynamodb, table_n):
    # 1, 1.0 and 1e0 are one item, or a table would hold the same key twice.
    dynamodb.put_item(TableName=table_n, Item={"p": N("777"), "v": S("first")})
    dynamodb.put_item(TableName=table_n, Item={"p": N("777.0"), "v": S("second")})
    assert get(dynamodb, table_n, {"p": N("7.77e2")}) == {"p": N("777"), "v": S("second")}


def test_binary_key(dynamodb, table_b):
    dynamodb.put_item(TableName=table_b, Item={"p": B(b"\x00\xff"), "v": S("x")})
    assert get(dynamodb, table_b, {"p": B(b"\x00\xff")})["v"] == S("x")
    assert get(dynamodb, table_b, {"p": B(b"\x00")}) is None


def test_number_set_members_are_equal_by_value(dynamodb, table_s, key):
    with invalid("duplicates"):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": {"NS": ["1", "1.0"]}})


@pytest.mark.parametrize("value", [{"SS": ["a", "a"]}, {"BS": [b"a", b"a"]}])
def test_set_duplicates(dynamodb, table_s, key, value):
    with invalid("One or more parameter values were invalid: Input collection .*duplicates"):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": value})


@pytest.mark.parametrize("value", [{"SS": []}, {"NS": []}, {"BS": []}])
def test_empty_sets(dynamodb, table_s, key, value):
    with invalid("One or more parameter values were invalid: .*sets? +(may|should) not be empty"):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": value})


def test_null_must_be_true(dynamodb, table_s, key):
    with invalid(text("One or more parameter values were invalid: Null attribute value types must "
                      "have the value of true")):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": {"NULL": False}})


def test_value_without_a_type(dynamodb, table_s, key):
    with invalid(text("Supplied AttributeValue is empty, must contain exactly one of the supported "
                      "datatypes")):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": {}})


def test_value_with_two_types(dynamodb, table_s, key):
    with invalid(text("Supplied AttributeValue has more than one datatypes set, must contain exactly "
                      "one of the supported datatypes")):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": {"S": "a", "N": "1"}})


def test_errors_inside_documents_are_found(dynamodb, table_s, key):
    for bad in (L(M(x={"SS": []})), M(a=L({"NULL": False})), L(L(N("abc")))):
        with invalid():
            dynamodb.put_item(TableName=table_s, Item={**key, "x": bad})


def test_item_size_limit(dynamodb, table_s, key):
    # Exactly 400 KB: names and values in UTF-8 bytes.
    room = 400 * 1024 - len("p") - len(key["p"]["S"]) - len("x")
    dynamodb.put_item(TableName=table_s, Item={**key, "x": S("a" * room)})
    assert len(get(dynamodb, table_s, key)["x"]["S"]) == room
    with invalid(text("Item size has exceeded the maximum allowed size")):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": S("a" * (room + 1))})


def test_item_size_limit_on_update(dynamodb, table_s, key):
    half = "a" * (250 * 1024)
    dynamodb.put_item(TableName=table_s, Item={**key, "x": S(half)})
    with invalid(text("Item size to update has exceeded the maximum allowed size")):
        dynamodb.update_item(TableName=table_s, Key=key, UpdateExpression="SET y = :v",
                             ExpressionAttributeValues={":v": S(half)})
    assert "y" not in get(dynamodb, table_s, key)


def test_item_size_counts_bytes_not_characters(dynamodb, table_s, key):
    with invalid("Item size"):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": S("\u4e2d" * (140 * 1024))})


def nested(levels):
    value = S("deep")
    for level in range(levels):
        value = L(value) if level % 2 else M(a=value)
    return value


def test_nesting_limit(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item={**key, "x": nested(31)})
    assert get(dynamodb, table_s, key)["x"] == nested(31)
    with invalid("Nesting Levels have exceeded supported limits"):
        dynamodb.put_item(TableName=table_s, Item={**key, "x": nested(33)})


def test_partition_key_length(dynamodb, table_s):
    longest = "k" * 2048
    dynamodb.put_item(TableName=table_s, Item={"p": S(longest)})
    assert get(dynamodb, table_s, {"p": S(longest)})
    with invalid(text("One or more parameter values were invalid: Size of hashkey has exceeded the "
                      "maximum size limit of2048 bytes")):
        dynamodb.put_item(TableName=table_s, Item={"p": S(longest + "k")})


def test_sort_key_length(dynamodb, table_ss, key):
    longest = "k" * 1024
    dynamodb.put_item(TableName=table_ss, Item={**key, "c": S(longest)})
    with invalid(text("One or more parameter values were invalid: Aggregated size of all range keys "
                      "has exceeded the size limit of 1024 bytes")):
        dynamodb.put_item(TableName=table_ss, Item={**key, "c": S(longest + "k")})


def test_attribute_name_of_any_characters(dynamodb, table_s, key):
    names = ["with space", "dot.ted", "\u4e2d\u6587", "size", "a" * 1000, "#", ":x", "[0]"]
    item = {**key, **{n: S(n) for n in names}}
    dynamodb.put_item(TableName=table_s, Item=item)
    assert get(dynamodb, table_s, key) == item
