"""The console's quarantine: records that a region could not apply are shown, tried again, given up."""

import test_quarantine as quarantine

from cluster import wait_until


def listed(page, count):
    page.wait_for_function("n => document.querySelectorAll('main tbody tr').length === n", arg=count,
                           timeout=15000)


def row(page, key, region):
    return page.locator("main tbody tr", has_text=key).filter(has_text=region.name)


def test_records_are_listed_shown_tried_again_and_given_up(console, regions):
    here, there, third = regions
    page = console.open("quarantine")
    page.wait_for_selector("text=Nothing is in quarantine.")
    images = quarantine.make_poison(here, ["poison-a", "poison-b"])
    listed(page, 4)  # in each of the two other regions
    page.wait_for_selector("text=4 records in quarantine")

    row(page, "poison-a", there).locator("button", has_text="Show").click()
    shown = page.locator("dialog").inner_text()
    assert here.name in shown and there.name in shown and "ff " in shown
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")

    # Links that have brought everything else say so, as `meridian lag` does.
    page.evaluate("location.hash = '#/'")
    for sink in (there, third):
        cell = page.locator(f'[data-link="{here.name}>{sink.name}"].bad')
        cell.locator("text=quarantined").wait_for(timeout=15000)
        assert f"2 records wait in the quarantine of {sink.name}" in cell.inner_text()
    assert page.locator("td[data-link].good").count() == 4, "of what others wrote nothing waits"
    page.evaluate("location.hash = '#/quarantine'")
    listed(page, 4)

    row(page, "poison-a", there).locator("button", has_text="Retry").click()
    page.wait_for_selector("text=stays in quarantine")
    page.click("text=Retry all")
    page.wait_for_selector("text=0 of 4 records settled.")
    listed(page, 4)

    # Given up only when that was said twice.
    row(page, "poison-b", third).locator("button", has_text="Discard").click()
    page.locator("dialog button", has_text="Cancel").click()
    listed(page, 4)
    row(page, "poison-b", third).locator("button", has_text="Discard").click()
    page.locator("dialog button.danger").click()
    page.wait_for_selector("text=is given up")
    listed(page, 3)
    assert len(quarantine.parked(regions)) == 3

    # A newer write retires the other; what an upgrade can read is applied.
    quarantine.put(there, "poison-b", "newer")
    listed(page, 2)
    for region in (there, third):
        with quarantine.file_of(region) as file:
            for key, image in images.items():
                if b"poison-a" in key:
                    file.execute("UPDATE parked SET image = ? WHERE key = ?", (image, key))
    row(page, "poison-a", there).wait_for(timeout=15000)
    row(page, "poison-a", there).locator("button", has_text="Retry").click()
    wait_until(lambda: quarantine.value_at(there, "poison-a") == "of the future", 20, "it is applied")
    listed(page, 1)
    third.node.stop()
    page.wait_for_selector(f"text={third.name} does not answer", timeout=15000)
    third.node.start()
