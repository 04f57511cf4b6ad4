"""The console where admin addresses want a token: it asks for it, keeps it for the tab, and sends it to
nobody but the deployment."""

import json
import os
import subprocess

import pytest
from conftest import Page

import cluster as clusters
from cluster import wait_until

TOKEN = "console-0123456789abcdef"
OTHER = "console-fedcba9876543210"


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """Three regions that want the token, and one more thing that does: `meridian drill serve`."""
    path = tmp_path / "admin-token"
    path.write_text(TOKEN)
    drills = f"127.0.0.1:{clusters.free_port()}"
    monkeypatch.setenv("MERIDIAN_ADMIN_TOKEN_FILE", str(path))
    monkeypatch.setenv("MERIDIAN_CONSOLE_DRILLS", drills)
    with clusters.Cluster(tmp_path) as made:
        made.create_global_table("Orders", stream="NEW_AND_OLD_IMAGES")
        report = tmp_path / "drills" / "drill-1"
        report.mkdir(parents=True)
        (report / "report.json").write_text(json.dumps({
            "schema_version": 1, "id": "drill-1", "scenario": "partition", "region": "us-east-1",
            "verdict": "PASS", "began": "2026-11-29T00:00:00Z", "rto": {"total_s": 1},
            "rpo": {"writes": 0, "seconds": 0}, "writes": {"lost": 0}, "longest_outage_s": 0}))
        server = subprocess.Popen(
            [clusters.program("meridian"), "--deployment", str(made.deployment), "drill", "serve",
             "--listen", drills, "--out", str(tmp_path / "drills")], stderr=subprocess.DEVNULL)
        made.drills = f"http://{drills}"
        wait_until(lambda: clusters.http_get(f"{made.drills}/readyz")[0] == 200, 20, "drills are served")
        made.token_file = path
        yield made
        server.terminate()
        assert server.wait(60) == 0


def sign_in(page, token):
    """By keyboard alone."""
    page.wait_for_selector("text=Sign in")
    assert page.evaluate("document.activeElement.name") == "token"
    page.keyboard.type(token)
    page.keyboard.press("Enter")


def picture(page, name):
    folder = os.environ.get("MERIDIAN_SCREENSHOTS")
    if folder:
        page.screenshot(path=os.path.join(folder, f"{name}.png"), full_page=True)


def test_it_asks_for_the_token_and_then_shows_everything(browser, guarded):
    seen = Page(browser, f"http://{guarded[0].address('admin')}", viewport={"width": 390, "height": 844})
    page = seen.open("drills")
    sign_in(page, OTHER)
    page.wait_for_selector("text=This is not the token of this region.")
    assert page.get_attribute("input[name=token]", "aria-invalid") == "true"
    assert page.inner_text("#summary") == "signed out" and page.inner_text("nav") == ""
    picture(page, "sign-in")
    page.keyboard.type("träume")  # it is selected, so it is typed over; no header could carry this one
    page.keyboard.press("Enter")
    page.wait_for_selector("text=This is not the token of this region.")
    sign_in(page, TOKEN)
    # Where its user wanted to go.
    page.wait_for_selector("text=Run one")
    page.wait_for_selector("#summary.good", timeout=15000)
    with page.expect_download() as saved:
        page.click("main a:has-text('JSON')")
    assert json.loads(saved.value.path().read_text())["id"] == "drill-1"

    # DynamoDB's API of another region, and the programs of all regions, by the same token.
    guarded[0].client().put_item(TableName="Orders", Item={"customer": {"S": "ada"}, "order": {"S": "1"}})
    page.evaluate("location.hash = '#/items/Orders'")
    page.wait_for_selector("main td >> text=ada", timeout=15000)
    page.evaluate("location.hash = '#/faults'")
    page.wait_for_function("() => document.querySelector('h1').textContent === 'Faults on purpose'")
    page.reload()  # the tab keeps it
    page.wait_for_selector("#summary.good", timeout=15000)
    page.click("#about >> text=Sign out")
    page.wait_for_selector("input[name=token]")
    assert page.evaluate("sessionStorage.length") == 0
    page.reload()
    page.wait_for_selector("input[name=token]")
    seen.close(guarded, also=[guarded.drills])


def test_a_token_that_is_replaced_is_asked_for_again(browser, guarded):
    seen = Page(browser, f"http://{guarded[0].address('admin')}")
    page = seen.open()
    sign_in(page, TOKEN)
    page.wait_for_selector("#summary.good", timeout=15000)
    page.evaluate("window.opened = true")
    guarded.token_file.write_text(OTHER)
    # One region after the other, as an operator would.
    guarded[1].node.signal(1)
    page.wait_for_selector("main >> text=wants another token", timeout=15000)
    guarded[0].node.signal(1)
    page.wait_for_selector("text=This region wants another token now.", timeout=15000)
    for process in (guarded[2].node, *(r.replicator for r in guarded)):
        process.signal(1)
    sign_in(page, OTHER)
    page.wait_for_selector("#summary.good", timeout=15000)
    assert page.evaluate("window.opened"), "it was not loaded again"
    seen.close(guarded, also=[guarded.drills])
