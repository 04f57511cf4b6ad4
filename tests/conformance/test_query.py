"""Query: key conditions, order by each sort key type, paging, filters, Select."""

import pytest

from support import B, N, S, error, invalid, text, unique


def query(dynamodb, table, condition, values, **more):
    return dynamodb.query(TableName=table, KeyConditionExpression=condition,
                          ExpressionAttributeValues=values, **more)


def pages(call, **request):
    """All items, page by page; each page must obey Limit."""
    items, start = [], {}
    while True:
        page = call(**request, **start)
        assert page["Count"] == len(page["Items"]) <= page["ScannedCount"]
        assert page["ScannedCount"] <= request.get("Limit", 10**9)
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


@pytest.fixture(scope="module")
def words(dynamodb, table_ss):
    partition = unique()
    for c in ["a", "aa", "ab", "b", "ba", "bb", "c", "\u00e9", "z", "\U0001f600", "\uffee", "A"]:
        dynamodb.put_item(TableName=table_ss, Item={"p": S(partition), "c": S(c), "len": N(len(c))})
        # A neighbour, to show that nothing else is found.
        dynamodb.put_item(TableName=table_ss, Item={"p": S(partition + "x"), "c": S(c)})
    return partition


def sort_keys(answer):
    return [next(iter(i["c"].values())) for i in answer["Items"]]


# UTF-8 order: not by locale, and not by UTF-16 unit either.
IN_ORDER = ["A", "a", "aa", "ab", "b", "ba", "bb", "c", "z", "\u00e9", "\uffee", "\U0001f600"]


def test_order_of_strings(dynamodb, table_ss, words):
    answer = query(dynamodb, table_ss, "p = :p", {":p": S(words)})
    assert sort_keys(answer) == IN_ORDER
    assert answer["Count"] == answer["ScannedCount"] == len(IN_ORDER)
    assert "LastEvaluatedKey" not in answer
    backward = query(dynamodb, table_ss, "p = :p", {":p": S(words)}, ScanIndexForward=False)
    assert sort_keys(backward) == IN_ORDER[::-1]


@pytest.mark.parametrize("condition, values, expected", [
    ("c = :a", {":a": "b"}, ["b"]),
    ("c < :a", {":a": "ab"}, ["A", "a", "aa"]),
    ("c <= :a", {":a": "ab"}, ["A", "a", "aa", "ab"]),
    ("c > :a", {":a": "c"}, ["z", "\u00e9", "\uffee", "\U0001f600"]),
    ("c >= :a", {":a": "z"}, ["z", "\u00e9", "\uffee", "\U0001f600"]),
    ("c BETWEEN :a AND :b", {":a": "aa", ":b": "b"}, ["aa", "ab", "b"]),
    ("begins_with(c, :a)", {":a": "b"}, ["b", "ba", "bb"]),
    ("begins_with(c, :a)", {":a": "nothing"}, []),
    ("(c = :a)", {":a": "a"}, ["a"]),
])
def test_sort_key_conditions(dynamodb, table_ss, words, condition, values, expected):
    values = {":p": S(words), **{n: S(v) for n, v in values.items()}}
    assert sort_keys(query(dynamodb, table_ss, "p = :p AND " + condition, values)) == expected
    # Either order of the two conditions, and parentheses, are legal.
    assert sort_keys(query(dynamodb, table_ss, condition + " AND (:p = p)", values)) == expected
    reverse = query(dynamodb, table_ss, "p = :p AND " + condition, values, ScanIndexForward=False)
    assert sort_keys(reverse) == expected[::-1]


def test_order_of_numbers(dynamodb, table_sn):
    partition = unique()
    numbers = ["-1E+100", "-100", "-10", "-9.5", "-1", "-0.001", "0", "1E-100", "0.1", "0.12", "1", "2",
               "9", "10", "99", "100", "12345678901234567890123456789012345678", "1E+100"]
    for number in sorted(numbers):
        dynamodb.put_item(TableName=table_sn, Item={"p": S(partition), "c": N(number)})
    found = sort_keys(query(dynamodb, table_sn, "p = :p", {":p": S(partition)}))
    assert [float(n) for n in found] == [float(n) for n in numbers]
    found = sort_keys(query(dynamodb, table_sn, "p = :p AND c BETWEEN :a AND :b",
                            {":p": S(partition), ":a": N("-9.50"), ":b": N("0.1")}))
    assert [float(n) for n in found] == [-9.5, -1, -0.001, 0, 1e-100, 0.1]


def test_order_of_binaries(dynamodb, table_sb):
    # Unsigned bytes: 0x80 comes after 0x7f.
    partition = unique()
    values = [b"\x00", b"\x00\x00", b"\x00\x01", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\x00"]
    for value in reversed(values):
        dynamodb.put_item(TableName=table_sb, Item={"p": S(partition), "c": B(value)})
    assert sort_keys(query(dynamodb, table_sb, "p = :p", {":p": S(partition)})) == values
    assert sort_keys(query(dynamodb, table_sb, "p = :p AND begins_with(c, :b)",
                           {":p": S(partition), ":b": B(b"\x00")})) == values[:3]
    assert sort_keys(query(dynamodb, table_sb, "p = :p AND begins_with(c, :b)",
                           {":p": S(partition), ":b": B(b"\xff")})) == values[6:]


@pytest.mark.parametrize("forward", [True, False])
@pytest.mark.parametrize("limit", [1, 5, 11, 12, 13])
def test_paging(dynamodb, table_ss, words, limit, forward):
    found = pages(dynamodb.query, TableName=table_ss, KeyConditionExpression="p = :p", Limit=limit,
                  ExpressionAttributeValues={":p": S(words)}, ScanIndexForward=forward)
    assert [i["c"]["S"] for i in found] == IN_ORDER[::1 if forward else -1]


def test_paging_inside_a_range(dynamodb, table_ss, words):
    found = pages(dynamodb.query, TableName=table_ss, Limit=2, KeyConditionExpression=(
        "p = :p AND begins_with(c, :a)"),
        ExpressionAttributeValues={":p": S(words), ":a": S("b")})
    assert [i["c"]["S"] for i in found] == ["b", "ba", "bb"]


def test_start_key_need_not_exist(dynamodb, table_ss, words):
    # The item may have been deleted between two pages.
    answer = query(dynamodb, table_ss, "p = :p", {":p": S(words)},
                   ExclusiveStartKey={"p": S(words), "c": S("aaa")})
    assert sort_keys(answer) == IN_ORDER[3:]


def test_page_ends_at_one_megabyte(dynamodb, table_sn):
    partition = unique()
    for c in range(4):
        dynamodb.put_item(TableName=table_sn,
                          Item={"p": S(partition), "c": N(c), "x": S("x" * 390_000)})
    first = query(dynamodb, table_sn, "p = :p", {":p": S(partition)})
    assert 2 <= first["Count"] <= 3 and "LastEvaluatedKey" in first
    found = pages(dynamodb.query, TableName=table_sn, KeyConditionExpression="p = :p",
                  ExpressionAttributeValues={":p": S(partition)})
    assert [i["c"]["N"] for i in found] == ["0", "1", "2", "3"]
    # What a projection or a count leaves out has been read all the same.
    count = query(dynamodb, table_sn, "p = :p", {":p": S(partition)}, Select="COUNT")
    assert count["Count"] == first["Count"] and "LastEvaluatedKey" in count
    assert "Items" not in count


def test_filter(dynamodb, table_ss, words):
    answer = query(dynamodb, table_ss, "p = :p", {":p": S(words), ":n": N(2)},
                   FilterExpression="len = :n")
    assert sort_keys(answer) == ["aa", "ab", "ba", "bb"]
    assert answer["Count"] == 4 and answer["ScannedCount"] == len(IN_ORDER)


def test_limit_counts_before_the_filter(dynamodb, table_ss, words):
    answer = query(dynamodb, table_ss, "p = :p", {":p": S(words), ":n": N(2)},
                   FilterExpression="len = :n", Limit=2)
    assert answer["Count"] == 0 and answer["ScannedCount"] == 2 and answer["Items"] == []
    assert answer["LastEvaluatedKey"] == {"p": S(words), "c": S("a")}


def test_projection_and_select(dynamodb, table_ss, words):
    answer = query(dynamodb, table_ss, "p = :p AND c = :c", {":p": S(words), ":c": S("aa")},
                   ProjectionExpression="len")
    assert answer["Items"] == [{"len": N(2)}]
    answer = query(dynamodb, table_ss, "p = :p AND c = :c", {":p": S(words), ":c": S("aa")},
                   ProjectionExpression="c", Select="SPECIFIC_ATTRIBUTES")
    assert answer["Items"] == [{"c": S("aa")}]
    answer = query(dynamodb, table_ss, "p = :p", {":p": S(words)}, Select="COUNT")
    assert answer["Count"] == len(IN_ORDER) and "Items" not in answer


def test_nothing_found(dynamodb, table_ss):
    answer = query(dynamodb, table_ss, "p = :p", {":p": S(unique())})
    assert answer["Items"] == [] and answer["Count"] == 0 and "LastEvaluatedKey" not in answer


def test_query_of_a_table_without_sort_key(dynamodb, table_s, key):
    dynamodb.put_item(TableName=table_s, Item=key)
    assert query(dynamodb, table_s, "p = :p", {":p": key["p"]})["Items"] == [key]


def test_names(dynamodb, table_ss, words):
    answer = query(dynamodb, table_ss, "#p = :p AND #c = :c", {":p": S(words), ":c": S("a")},
                   ExpressionAttributeNames={"#p": "p", "#c": "c"})
    assert answer["Count"] == 1


def test_unknown_table(dynamodb):
    with error("ResourceNotFoundException", text("Requested resource not found")):
        query(dynamodb, unique(), "p = :p", {":p": S("x")})


@pytest.mark.parametrize("condition, words", [
    ("c = :v", text("Query condition missed key schema element: p")),
    ("oth = :v", "Query condition missed key schema element: p"),
    ("p > :v", "Query key condition not supported"),
    ("p = :v AND c <> :v", "."),
    ("p = :v OR c = :v", "."),
    ("NOT p = :v", "."),
    ("p = :v AND oth = :v", "Query condition missed key schema element: c"),
    ("p = :v AND c = :v AND oth = :v", "."),
    ("p = :v AND contains(c, :v)", "."),
    ("p = :v AND attribute_exists(c)", "."),
    ("p = :v AND p = :v", "KeyConditionExpressions must only contain one condition per key"),
    ("p = :v AND c IN (:v)", "."),
    ("p.x = :v", "."),
    ("", "Invalid KeyConditionExpression: The expression can not be empty"),
    ("p = ", "Invalid KeyConditionExpression: Syntax error"),
    ("p = :v AND c BETWEEN :z AND :a", "BETWEEN"),
    ("p = :none", "Invalid KeyConditionExpression: An expression attribute value used in expression "
                  "is not defined; attribute value: :none"),
])
def test_key_condition_errors(dynamodb, table_ss, condition, words):
    values = {":v": S("v"), ":z": S("z"), ":a": S("a")}
    values = {n: v for n, v in values.items() if n in condition} or {":v": S("v")}
    with invalid(words):
        query(dynamodb, table_ss, condition, values)


def test_key_condition_of_another_type(dynamodb, table_ss):
    with invalid("Condition parameter type does not match schema type"):
        query(dynamodb, table_ss, "p = :v", {":v": N(1)})
    with invalid("Condition parameter type does not match schema type"):
        query(dynamodb, table_ss, "p = :p AND c = :v", {":p": S("p"), ":v": N(1)})


def test_filter_on_a_key(dynamodb, table_ss):
    with invalid(text("Filter Expression can only contain non-primary key attributes: Primary key "
                      "attribute: c")):
        query(dynamodb, table_ss, "p = :v", {":v": S("v")}, FilterExpression="c = :v")


def test_other_errors(dynamodb, table_ss):
    good = dict(TableName=table_ss, KeyConditionExpression="p = :v",
                ExpressionAttributeValues={":v": S("v")})
    with invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified"):
        dynamodb.query(TableName=table_ss)
    for limit in (0, -1):
        with invalid("Limit.*greater than or equal to 1"):
            dynamodb.query(**good, Limit=limit)
    with invalid("Value 'MANY' at 'select' failed to satisfy constraint"):
        dynamodb.query(**good, Select="MANY")
    with invalid():
        dynamodb.query(**good, Select="SPECIFIC_ATTRIBUTES")
    with invalid():
        dynamodb.query(**good, Select="COUNT", ProjectionExpression="x")
    with invalid():
        dynamodb.query(**good, IndexName="no-such-index")
    with invalid(text("Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}")):
        query(dynamodb, table_ss, "p = :v", {":v": S("v"), ":w": S("w")})


@pytest.mark.parametrize("start", [{}, {"p": S("v")}, {"p": S("v"), "c": N(1)},
                                   {"p": S("v"), "c": S("c"), "x": S("x")}])
def test_start_key_errors(dynamodb, table_ss, start):
    with invalid("key"):
        query(dynamodb, table_ss, "p = :v", {":v": S("v")}, ExclusiveStartKey=start)


def test_start_key_of_another_partition(dynamodb, table_ss):
    with invalid("starting key"):
        query(dynamodb, table_ss, "p = :v", {":v": S("v")},
              ExclusiveStartKey={"p": S("other"), "c": S("c")})
