"""A deployment of three regions and a browser.  Environment: MERIDIAN_CHROMIUM names the browser (default
/usr/bin/chromium, Debian's); MERIDIAN_SCREENSHOTS a folder that pictures of every view are kept in."""

import os
import pathlib
import subprocess
import sys
import urllib.parse

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import cluster as clusters  # noqa: E402
from ports import free_port  # noqa: E402


@pytest.fixture
def regions(tmp_path):
    """Three regions, told of each other's admin addresses as a deployment's console needs."""
    with clusters.Cluster(tmp_path) as made:
        made.create_global_table("Orders", stream="NEW_AND_OLD_IMAGES")
        yield made


@pytest.fixture
def drilled(tmp_path, monkeypatch):
    """Regions whose console knows where drills are run, and what begins to run them there."""
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("MERIDIAN_CONSOLE_DRILLS", address)
    started = []
    with clusters.Cluster(tmp_path) as made:
        def serve():
            started.append(subprocess.Popen(
                [clusters.program("meridian"), "--deployment", str(made.deployment), "drill", "serve",
                 "--listen", address, "--out", str(tmp_path / "drills")], stderr=subprocess.DEVNULL))
        made.drills = f"http://{address}"
        yield made, serve
        for process in started:
            process.terminate()
            assert process.wait(60) == 0


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=os.environ.get("MERIDIAN_CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield launched
        launched.close()


def origin_of(url):
    return urllib.parse.urlsplit(url).netloc


class Page:
    """The console of one region; everything that the browser asked for and complained of is kept, and
    close() looks at it."""

    def __init__(self, browser, origin, **options):
        self.origin = origin
        self.page = browser.new_context(**options).new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda line: self.complaints.append(line.text)
                     if line.type == "error" and "Failed to load resource" not in line.text else None)

    def open(self, view=""):
        self.page.goto(f"{self.origin}/#/{view}")
        self.page.wait_for_selector("h1")
        return self.page

    def close(self, regions, also=()):
        """Nothing was complained of, and nobody was asked but the deployment's own addresses on loopback:
        admin endpoints of regions, and `also`, URLs."""
        self.page.context.close()
        assert self.complaints == []
        ours = {r.address(p) for r in regions for p in ("admin", "replicator")} | {origin_of(u) for u in also}
        asked = {origin_of(url) for url in self.requests if not url.startswith(("data:", "blob:", "about:"))}
        assert asked and asked <= ours, asked - ours
        assert all(origin.startswith("127.0.0.1:") for origin in asked)


@pytest.fixture
def console(browser, regions):
    page = Page(browser, f"http://{regions.regions[0].address('admin')}")
    yield page
    page.close(regions)
