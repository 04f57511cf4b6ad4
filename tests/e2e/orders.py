"""The items of the table Orders, one at a time, by the name of their customer."""

from load import contents, key_of


def put(region, name, value="x"):
    region.client().put_item(TableName="Orders", Item={**key_of(name), "v": {"S": value}})


def remove(region, name):
    region.client().delete_item(TableName="Orders", Key=key_of(name))


def held(region):
    return contents(region.address("table"), "Orders")
