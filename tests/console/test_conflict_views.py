"""The console's conflicts: what is listed, both images side by side, and a loser written again."""

import time

import pytest
from conftest import Page

from cluster import wait_until

PHONE = {"viewport": {"width": 390, "height": 844}}


def put(region, customer, **attributes):
    region.client().put_item(TableName="Orders", Item={
        "customer": {"S": customer}, "order": {"S": "1"},
        **{name: {"S": value} for name, value in attributes.items()}})


def get(region, customer):
    key = {"customer": {"S": customer}, "order": {"S": "1"}}
    return region.client().get_item(TableName="Orders", Key=key, ConsistentRead=True).get("Item")


def settle(regions):
    wait_until(lambda: regions.cli("verify", "Orders").returncode == 0, 30, "all regions are equal")


@pytest.fixture
def lost(regions):
    """In region 0, unseen by region 1 that writes later: two puts and a delete."""
    first, second, _ = regions
    put(first, "ada", note="before", kept="same")
    put(first, "bea", note="before")
    settle(regions)
    for region in (first, second):
        assert region.replicator.stop() == 0
    put(first, "ada", note="<b>lost</b>", kept="same", only="there")
    put(first, "cleo", note="lost")
    first.client().delete_item(TableName="Orders", Key={"customer": {"S": "bea"}, "order": {"S": "1"}})
    time.sleep(0.05)
    for customer in ("ada", "bea", "cleo"):
        put(second, customer, note="won", kept="same")
    for region in (first, second):
        region.replicator.start()
    settle(regions)
    return regions


def rows(page):
    return page.locator("tbody tr")


def listed(page, count):
    page.wait_for_function("n => document.querySelectorAll('main tbody tr').length === n", arg=count,
                           timeout=15000)


def test_losers_are_listed_compared_and_restored(console, lost):
    first = lost[0]
    page = console.open("conflicts/Orders")
    listed(page, 3)
    known = lost.cli_json("conflicts", "list", "Orders")["listed"]
    losers = page.eval_on_selector_all("tbody td:nth-child(2) span[title]", "all => all.map(x => x.title)")
    assert losers == [c["loser"]["version"] for c in known]
    page.fill("input[name=key]", "ADA")
    listed(page, 1)
    page.select_option("select[name=by]", lost[2].name)
    listed(page, 1)
    page.select_option("select[name=by]", "")
    page.fill("input[name=key]", "")
    listed(page, 3)

    page.locator("tr", has_text="ada").locator("button").click()
    page.wait_for_selector("dialog")
    compared = {row[0]: row[1:] for row in page.eval_on_selector_all(
        "dialog tbody tr", "all => all.map(r => [...r.cells].map(c => c.textContent))")}
    assert compared["note"] == ['{"S":"<b>lost</b>"}', '{"S":"won"}', "differs"]
    assert compared["kept"][2] == "same" and compared["only"][1:] == ["not there", "differs"]
    assert first.name in page.locator("dialog select").input_value()

    # Cancelled, nothing happens; then it is done, and the view says that the item was written since.
    page.click("dialog >> text=Restore")
    page.locator("dialog button", has_text="Cancel").click()
    assert get(first, "ada")["note"] == {"S": "won"}
    page.click("dialog >> text=Restore")
    page.locator("dialog button.danger").click()
    page.wait_for_selector("text=Restored in")
    wait_until(lambda: all(get(r, "ada").get("only") == {"S": "there"} for r in lost), 20, "it is everywhere")
    assert get(lost[1], "ada")["note"] == {"S": "<b>lost</b>"}
    page.locator("tr", has_text="ada", has=page.locator("text=written since")).wait_for(timeout=20000)


def test_a_delete_is_restored_from_another_region_by_keyboard(console, lost):
    page = console.open("conflicts/Orders")
    listed(page, 3)
    page.locator("tr", has_text="bea").locator("button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog")
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.locator("dialog select").select_option(lost[1].name)
    page.locator("dialog button.main").focus()
    page.keyboard.press("Enter")
    page.locator("dialog[aria-label='Restore what was lost?']").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"text=Restored in {lost[1].name}")
    wait_until(lambda: all(get(r, "bea") is None for r in lost), 20, "it is deleted everywhere")


def test_what_was_written_since_is_not_replaced_unasked(console, lost):
    page = console.open("conflicts/Orders")
    listed(page, 3)
    page.locator("tr", has_text="cleo").locator("button").click()
    page.wait_for_selector("dialog")
    put(lost[0], "cleo", note="newer")
    page.click("dialog >> text=Restore")
    asked = page.locator("dialog[aria-label='Restore what was lost?']")
    assert "newer write" in asked.inner_text()
    put(lost[0], "cleo", note="newest")
    asked.locator("button.danger").click()
    page.wait_for_selector("text=nothing was changed")
    assert get(lost[0], "cleo")["note"] == {"S": "newest"}


def test_no_conflict_a_region_that_is_down_and_a_phone(browser, lost):
    seen = Page(browser, f"http://{lost[0].address('admin')}", **PHONE)
    page = seen.open("conflicts/Orders")
    listed(page, 3)
    page.locator("tr", has_text="ada").locator("button").click()
    page.wait_for_selector("dialog")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    box = page.locator("dialog").bounding_box()
    assert 0 <= box["x"] and box["x"] + box["width"] <= 390
    page.locator("dialog button", has_text="Close").click()

    lost[1].node.stop()
    page.wait_for_selector(f"text={lost[1].name} does not answer", timeout=20000)
    listed(page, 3)  # they are the first region's own
    page.select_option("select[name=by]", lost[1].name)
    page.wait_for_selector("text=The ledgers cannot be read")
    seen.close(lost)


def test_a_table_without_conflicts_says_so(console, regions):
    page = console.open("conflicts/Orders")
    page.wait_for_selector("text=No write was lost in that time.")


MERGE = """async (ledgers) => (await import('/console/lib/conflicts.js')).merge(ledgers)
    .map(c => [c.loser.version, c.listedBy, c.certain])"""


def write(number, region, **context):
    name = f"{number:016x}"
    return {"version": f"{number}@{region}", "version_hex": name + region.encode().hex(),
            "context": {r: f"{n:016x}" for r, n in context.items()}}


def ledger(region, *entries, complete_after=0, current=None):
    return {"region": region, "completeAfter": f"{complete_after:016x}",
            "entries": [{"loser": loser, "winner": winner, "current": current} for loser, winner in entries]}


def test_ledgers_are_merged_as_the_command_line_does(console):
    page = console.open("conflicts")

    def merged(*ledgers):
        return page.evaluate(MERGE, list(ledgers))

    lost, won = write(10, "a"), write(20, "b")
    assert merged(ledger("a", (lost, won)), ledger("b", (lost, won))) == [["10@a", "a", True]]
    # Its origin says nothing of it: it was withdrawn there.  Or it cannot tell any more.
    assert merged(ledger("a"), ledger("b", (lost, won))) == []
    assert merged(ledger("a", complete_after=10), ledger("b", (lost, won))) == [["10@a", "b", False]]
    assert merged(ledger("b", (lost, won)), ledger("c", (lost, won))) == [["10@a", "b", False]]
    # Somebody built on it: another loser, a winner, or what is stored now.
    child = write(15, "c", a=10)
    assert merged(ledger("a", (lost, won)), ledger("c", (child, won))) == [["15@c", "c", True]]
    assert merged(ledger("a", (lost, write(30, "b", a=10)))) == []
    assert merged(ledger("a", (lost, won), current=write(40, "c", a=10))) == []
    # A later write of its region in the chain is not this one.
    assert merged(ledger("a", (lost, write(30, "b", a=11)))) == [["10@a", "a", True]]
    # The newest first.
    late = write(12, "a")
    assert [c[0] for c in merged(ledger("a", (lost, won), (late, won)))] == ["12@a", "10@a"]
