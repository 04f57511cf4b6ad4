"""What the console shows while it knows nothing yet, when something fails, and when nobody answers."""

import pytest
from conftest import Page

from cluster import http_get

VIEWS = ["", "tables", "table/Orders", "items/Orders", "conflicts/Orders", "quarantine", "checkpoints",
         "leases", "faults", "drills"]


def put(region, customer):
    region.client().put_item(TableName="Orders", Item={"customer": {"S": customer}, "order": {"S": "1"}})


def test_until_a_region_has_answered_nothing_is_said_of_it(browser, regions):
    seen = Page(browser, f"http://{regions[0].address('admin')}")
    held = []
    # Else the page would give up, and say that they do not answer.
    seen.page.add_init_script("AbortSignal.timeout = () => new AbortController().signal")
    seen.page.route("**/v1/status", lambda route: held.append(route))  # neither answered nor refused
    seen.page.route("**/v1/links", lambda route: held.append(route))
    for view in VIEWS:
        page = seen.open(view)
        page.wait_for_function("() => document.querySelector('#summary').textContent === 'connecting'")
        if view != "drills":
            page.wait_for_selector("main >> text=/Asking|asking/")
        assert page.locator(".word.bad, .card.bad, td.bad, .summary.bad").count() == 0, view
        assert "There is no table" not in page.inner_text("main")
    seen.page.unroute_all(behavior="ignoreErrors")
    page.reload()
    page.wait_for_selector("#summary.good", timeout=15000)
    seen.close(regions)


def test_a_page_that_cannot_begin_says_so_and_tries_again(browser, regions):
    seen = Page(browser, f"http://{regions[0].address('admin')}")
    seen.page.route("**/v1/console", lambda route: route.fulfill(status=503, body="starting"))
    page = seen.open()
    page.wait_for_selector("text=This region node does not answer (starting)")
    assert page.inner_text("#summary") == "disconnected"
    seen.page.unroute_all()
    page.wait_for_selector("#summary.good", timeout=15000)
    seen.close(regions)


def test_when_nobody_answers_every_view_says_so_and_comes_back_by_itself(browser, regions):
    put(regions[0], "ada")
    seen = Page(browser, f"http://{regions[0].address('admin')}")
    page = seen.open()
    page.wait_for_selector("#summary.good", timeout=15000)
    page.evaluate("window.opened = true")
    for region in regions:
        region.node.kill()
        region.replicator.kill()
    page.wait_for_selector("#banner >> text=No region answers.")
    assert page.inner_text("#summary") == "disconnected"
    for view in VIEWS:
        page.evaluate("view => { location.hash = `#/${view}`; }", view)
        page.wait_for_selector("#banner >> text=No region answers.")
        assert "There is no table" not in page.inner_text("main"), view
    page.evaluate("location.hash = '#/'")
    for region in regions:
        region.node.start(wait=False)
        region.replicator.start(wait=False)
    page.wait_for_selector("#summary.good", timeout=30000)
    page.wait_for_selector("#banner p", state="detached")
    assert page.evaluate("window.opened"), "it was not loaded again"
    seen.close(regions)


def test_what_an_api_refuses_is_said(console, regions):
    page = console.open("tables")
    page.fill("input[name=name]", "Orders")
    page.fill("input[name=partition]", "customer")
    page.click("button.main")
    page.wait_for_selector(".notice.bad >> text=Orders")
    page.wait_for_function("() => !document.querySelector('button.main').disabled")


def test_views_are_live_and_leave_alone_what_their_user_does(console, regions):
    page = console.open("items/Orders")
    page.wait_for_selector("text=The table is empty.")
    put(regions[1], "ada")
    page.wait_for_selector("main td >> text=ada", timeout=15000)
    # A focus stays where it is while what is around it is drawn again, and so does what has been filled in.
    page.locator("main td button").focus()
    for customer in ("bea", "cleo"):
        put(regions[1], customer)
        page.wait_for_selector(f"main td >> text={customer}", timeout=15000)
        assert page.evaluate("document.activeElement.textContent") == "Compare"
    page.evaluate("location.hash = '#/tables'")
    page.fill("input[name=name]", "Half-written")
    page.wait_for_selector("main td >> text=Orders")
    put(regions[0], "dora")
    page.wait_for_function("() => document.querySelector('main tbody td:nth-child(3)').textContent === '4'",
                           timeout=15000)
    assert page.input_value("input[name=name]") == "Half-written"


@pytest.mark.parametrize("view", ["", "tables", "quarantine", "checkpoints", "leases"])
def test_a_region_that_is_down_is_said_to_be(console, regions, view):
    regions[2].node.kill()
    regions[2].replicator.kill()
    page = console.open(view)
    page.locator("#summary", has_text=f"{regions[2].name} is down").wait_for(timeout=15000)
    if view == "quarantine":
        page.wait_for_selector("text=Nothing is in quarantine where a region answers.", timeout=15000)
    assert http_get(regions[2].admin_url("/livez"))[0] == 0
