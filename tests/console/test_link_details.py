"""What the console says of a link besides its lag: that its regions are being repaired, and up to when
everything is there."""

import datetime
import json

from conftest import Page

from cluster import http_get, wait_until


def put(region, customer):
    region.client().put_item(TableName="Orders", Item={"customer": {"S": customer}, "order": {"S": "1"}})


def watermark_us(sink, source):
    """Of Orders, as the sink tells."""
    tables = json.loads(http_get(sink.admin_url("/v1/status"))[1])["tables"]
    return next(t for t in tables if t["name"] == "Orders")["watermarks_us"].get(source.name, 0)


def shown(us):
    """As the page writes a moment of today."""
    return datetime.datetime.fromtimestamp(us // 1_000_000, datetime.timezone.utc).strftime("%H:%M:%S")


def row_of(page, source, sink):
    return page.locator(f'main tr:has(td[data-title="From"] span:text-is("{source.name}"))'
                        f':has(td[data-title="To"] span:text-is("{sink.name}"))')


def test_the_watermark_of_a_link_is_shown(console, regions):
    source, sink, third = regions
    put(source, "ada")
    wait_until(lambda: watermark_us(sink, source) > 0, 30, "the sink knows how far it is")
    page = console.open()
    cell = page.locator(f'[data-link="{source.name}>{sink.name}"]')
    cell.locator("text=/watermark .*[0-9]{2}:[0-9]{2}:[0-9]{2}/").wait_for(timeout=15000)
    # It stands still once the source is gone: what the page shows is what the sink says.
    source.replicator.kill()
    source.node.kill()
    page = Page(console.page.context.browser, f"http://{sink.address('admin')}")
    page.open()
    stands = watermark_us(sink, source)
    cell = page.page.locator(f'[data-link="{source.name}>{sink.name}"]')
    cell.locator(f"text={shown(stands)}").wait_for(timeout=15000)
    assert watermark_us(sink, source) == stands
    page.page.evaluate("location.hash = '#/table/Orders'")
    row = row_of(page.page, source, sink)
    row.locator(f'[data-title="Watermark"] >> text={shown(stands)}').wait_for(timeout=15000)
    # How far one is that does not answer is not known.
    row = row_of(page.page, sink, source)
    row.locator('[data-title="Watermark"] >> text=–').wait_for(timeout=15000)
    page.close(regions)


def test_a_repair_shows_on_both_links_of_its_pair(console, regions):
    source, sink, third = regions
    repair = {"table": "Orders", "peer": sink.name, "doing": "repair", "needed": "the log was too short"}
    scrub = {"table": "Orders", "peer": third.name, "doing": "scrub", "needed": ""}
    console.page.route(f"http://{source.address('admin')}/v1/repairs", lambda route: route.fulfill(
        json={"region": source.name, "repairs": [repair, scrub]}))
    page = console.open()
    for pair in ((source, sink), (sink, source)):
        cell = page.locator(f'[data-link="{pair[0].name}>{pair[1].name}"].uneasy')
        cell.locator("text=repairing").wait_for(timeout=15000)
        assert f"{source.name} repairs the table with {sink.name}: the log was too short" in cell.inner_text()
    assert page.locator("td[data-link].good").count() == 4, "a comparison is no repair"
    assert "2 of 6 links disturbed" in page.inner_text("#summary")
    page.evaluate("location.hash = '#/table/Orders'")
    row_of(page, sink, source).locator("text=repairing").wait_for(timeout=15000)
    # A cut link stays that: it is what keeps the repair from going on.
    regions.cli_json("link", "cut", "--from", source.name, "--to", sink.name, "--for", "60s")
    row_of(page, source, sink).locator('.bad >> text="cut"').wait_for(timeout=15000)
    assert "repairing" in row_of(page, sink, source).inner_text()
    # It is over.
    regions.cli_json("link", "heal", "--from", source.name, "--to", sink.name)
    console.page.unroute_all(behavior="ignoreErrors")
    page.wait_for_selector("#summary.good", timeout=30000)
    assert page.locator("text=repairing").count() == 0
