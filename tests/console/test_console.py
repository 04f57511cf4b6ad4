"""The console in a real browser: every view opens, every action is seen in the API, a killed region turns
red and green again, and nothing leaves the machine."""

import json
import os
import pathlib

import pytest
from conftest import Page

from cluster import http_get, wait_until

VIEWS = {"": "Overview", "tables": "Tables", "table/Orders": "Orders", "items/Orders": "Items",
         "conflicts/Orders": "Conflicts", "quarantine": "Quarantine", "checkpoints": "Checkpoints",
         "leases": "Leases",
         "faults": "Faults on purpose", "drills": "Drills"}
SHAPES = {"light": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "light"},
          "dark": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"},
          "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
          "dark-phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}}


def put(region, customer, note="note"):
    region.client().put_item(TableName="Orders", Item={
        "customer": {"S": customer}, "order": {"S": "1"}, "note": {"S": note}})


def get(region, customer):
    return region.client().get_item(
        TableName="Orders", Key={"customer": {"S": customer}, "order": {"S": "1"}}).get("Item")


def faults_of(source, sink):
    """Kinds, at the node and at the replicator."""
    pages = [json.loads(http_get(url("/v1/links"))[1])
             for url in (source.admin_url, source.replicator_url)]
    return [[f["kind"] for link in page["links"] if link["to"] == sink for f in link["faults"]]
            for page in pages]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_view_opens_and_fits_its_width(browser, regions, shape):
    for number, region in enumerate(regions):
        put(region, f"customer-{number}")
    put(regions[0], "customer-of-a-name-that-is-longer-than-a-page-is-wide-" * 4)
    seen = Page(browser, f"http://{regions[0].address('admin')}", **SHAPES[shape])
    for view, title in VIEWS.items():
        page = seen.open(view)
        page.wait_for_function("t => document.querySelector('h1').textContent === t", arg=title)
        page.wait_for_function("() => document.querySelector('.summary.good')", timeout=15000)
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, f"{view} scrolls sideways"
        page.wait_for_function("() => !/Asking/.test(document.querySelector('main').textContent)")
        sideways = page.evaluate("[...document.querySelectorAll('.scroll')].filter(box => box.innerText &&"
                                 " box.scrollWidth > box.clientWidth).map(box => box.innerText)")
        assert sideways == [], f"tables of {view} scroll sideways"
        # Boxes, lists and scroll bars follow the scheme too.
        assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"
        if folder := os.environ.get("MERIDIAN_SCREENSHOTS"):
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            page.wait_for_timeout(1500)
            name = view.replace("/", "-") or "overview"
            page.screenshot(path=f"{folder}/{name}-{shape}.png", full_page=True)
    seen.close(regions)


def test_a_killed_region_turns_red_and_green_again(console, regions):
    page = console.open()
    victim = regions[1]
    page.wait_for_selector(f'[data-region="{victim.name}"].good')
    victim.node.kill()
    page.wait_for_selector(f'[data-region="{victim.name}"].bad', timeout=5000)
    assert victim.name in page.inner_text("#summary")
    # Whoever can still be asked is not taken for dead.
    assert page.locator(f'[data-region="{regions[0].name}"].good').count() == 1
    victim.node.start()
    page.wait_for_selector(f'[data-region="{victim.name}"].good', timeout=15000)


def test_a_link_that_stands_still_is_not_shown_as_fine(console, regions):
    source, sink = regions[0], regions[1]
    sink.node.pause()
    try:
        put(source, "waits")
        page = console.open()
        cell = page.locator(f'[data-link="{source.name}>{sink.name}"]')
        page.wait_for_function("([s]) => { const c = document.querySelector(s);"
                               " return c && /1 wait/.test(c.textContent); }",
                               arg=[f'[data-link="{source.name}>{sink.name}"]'], timeout=15000)
        assert "nothing waits" not in cell.inner_text()
    finally:
        sink.node.resume()


def test_a_replication_group_is_made_and_a_replica_removed(console, regions):
    page = console.open("tables")
    page.fill("input[name=name]", "Invoices")
    page.fill("input[name=partition]", "customer")
    page.click("button.main")
    page.wait_for_function("() => location.hash === '#/table/Invoices'", timeout=30000)
    regions.wait_active("Invoices", regions.regions, replicas=2)
    row = page.locator("tr", has_text=regions[2].name).filter(has=page.locator("button.danger"))
    row.first.locator("button.danger").click()
    page.locator("dialog button.danger").click()
    gone = regions[2].client()
    wait_until(lambda: "Invoices" not in gone.list_tables()["TableNames"], 30, "the replica is gone")
    page.locator(f'[data-key="add-{regions[2].name}"]').click(timeout=15000)
    regions.wait_active("Invoices", regions.regions, replicas=2)


def test_items_stand_side_by_side_as_text(console, regions):
    put(regions[0], "ada", "<img src=x onerror=alert(1)>")
    wait_until(lambda: all(get(r, "ada") for r in regions), 20, "the item is everywhere")
    page = console.open("items/Orders")
    row = page.locator("tr", has_text="ada")
    row.locator("button").click()
    page.wait_for_selector("dialog")
    assert page.locator("dialog th").count() == 1 + 3
    assert page.inner_text("dialog").count("<img src=x onerror=alert(1)>") == 3
    assert "The same in all regions." in page.inner_text("dialog")
    page.locator("dialog button", has_text="Close").click()
    page.wait_for_selector("dialog", state="detached")


def test_a_fault_is_begun_counted_down_and_healed(console, regions):
    source, sink = regions[0].name, regions[2].name
    page = console.open("faults")
    page.wait_for_selector("text=No link has a fault.")
    page.select_option("select[name=from]", source)
    page.select_option("select[name=to]", sink)
    page.fill("input[name=seconds]", "120")
    page.click("button.main")
    row = page.locator("tbody tr", has_text=sink)
    row.wait_for()
    assert faults_of(regions[0], sink) == [["cut"], ["cut"]]
    left = page.inner_text(".countdown .left")
    page.wait_for_function(
        "left => parseFloat(document.querySelector('.countdown .left').textContent) < left",
        arg=float(left.removesuffix(" s")), timeout=10000)
    # The overview says it of the link, and of how many there are.
    page.evaluate("location.hash = '#/'")
    page.wait_for_selector(f'[data-link="{source}>{sink}"].bad >> text=cut')
    assert page.inner_text('[data-key="tile-faults"]').split() == ["1", "faults", "on", "purpose"]
    page.evaluate("location.hash = '#/faults'")
    row.locator("button").click()
    page.wait_for_selector("text=No link has a fault.")
    assert faults_of(regions[0], sink) == [[], []]


def test_faults_of_other_kinds_are_made_by_keyboard_and_end_by_themselves(console, regions):
    sink = regions[1].name
    page = console.open("faults")
    for kind, extra in (("delay", {"delay": "70", "jitter": "5"}), ("lose", {"lost": "5"}),
                        ("limit", {"rate": "64"}), ("pause", {})):
        page.locator("select[name=kind]").focus()
        page.keyboard.type(kind)
        assert "undefined" not in page.inner_text("main")
        for name, value in extra.items():
            page.fill(f"input[name={name}]", value)
        page.fill("input[name=seconds]", "6")
        page.keyboard.press("Enter")
        page.locator("tbody tr", has_text=kind).wait_for()
    known = http_get(regions[0].admin_url("/v1/links"))[1]
    for said in ('"delay_ms":70', '"lost_permille":5', '"bytes_per_second":65536', "pause"):
        assert said in known
    page.wait_for_selector("text=No link has a fault.", timeout=20000)
    assert faults_of(regions[0], sink) == [[], []]


def test_a_drill_is_run_looked_at_and_stopped(browser, drilled):
    regions, serve = drilled
    seen = Page(browser, f"http://{regions[0].address('admin')}")
    page = seen.open("drills")
    page.wait_for_selector("text=Drills are not at hand")
    assert "meridian drill serve" in page.inner_text("main pre")
    serve()
    page.select_option("select[name=scenario]", "partition")
    assert "cut" in page.inner_text(".note")

    def run(seconds):
        page.select_option("select[name=scenario]", "partition")
        page.fill("input[name=fault]", str(seconds))
        page.fill("input[name=rate]", "50")
        page.click("button.main")
        page.click("dialog button.danger")
        page.wait_for_selector("td:has-text('INJECT')", timeout=30000)

    run(4)
    page.wait_for_selector("tr:has-text('partition') >> text=PASS", timeout=60000)
    page.wait_for_selector("td:has-text('RESTORED')")
    with page.expect_popup() as opened:
        page.click("a:has-text('report')")
    opened.value.wait_for_selector("h1:has-text('partition of us-east-1')")
    assert opened.value.locator("rect.window").count() == 3
    opened.value.close()
    run(60)
    if folder := os.environ.get("MERIDIAN_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/drill-running.png", full_page=True)
    page.click("button:has-text('Stop and heal')")
    page.wait_for_selector("tr:has-text('partition') >> text=ABORTED", timeout=30000)
    assert not any(f["faults"] for f in regions.cli_json("link", "list")["links"])
    for shape in ("dark", "phone"):
        page.set_viewport_size(SHAPES[shape]["viewport"])
        page.emulate_media(color_scheme=SHAPES[shape]["color_scheme"])
        assert not page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"), shape
        if folder := os.environ.get("MERIDIAN_SCREENSHOTS"):
            page.screenshot(path=f"{folder}/drills-run-{shape}.png", full_page=True)
    seen.close(regions, [regions.drills])


def test_everything_can_be_reached_by_keyboard(console):
    page = console.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(17):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Overview", "Tables", "Items", "Conflicts", "Quarantine", "Checkpoints", "Faults",
            "Leases", "Drills"} <= reached


def test_other_peoples_pages_may_not_call(regions):
    import urllib.error
    import urllib.request
    for url in (regions[0].admin_url("/v1/status"), regions[0].replicator_url("/v1/status")):
        strange = urllib.request.Request(url, headers={"Origin": "http://evil.example"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(strange, timeout=5)
        assert refused.value.code == 403
        ours = urllib.request.Request(url, headers={"Origin": f"http://{regions[1].address('admin')}"})
        with urllib.request.urlopen(ours, timeout=5) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == f"http://{regions[1].address('admin')}"
