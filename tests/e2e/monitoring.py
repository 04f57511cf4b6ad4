"""Prometheus itself, Debian's, over the daemons of a cluster, with the alert rules that are shipped.

So that a fault need not last for minutes, the rules' durations are divided by HURRY: what is behind `for`,
and the windows of rates and increases.  Expressions and thresholds stay as they are.
"""

import json
import pathlib
import re
import shutil
import subprocess
import urllib.parse

import pytest
import yaml

from cluster import http_get, wait_until
from ports import free_port

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "observability"
HURRY = 30
# A daemon that does not answer a scrape within the interval has no metrics for that long, and whatever was
# about to fire begins anew: not too short for a busy machine.
SCRAPE_INTERVAL = "2s"
EVALUATION_INTERVAL = "500ms"
MILLISECONDS = {"s": 1_000, "m": 60_000, "h": 3_600_000}


def rules():
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def hurried(text):
    """The text of a rule file, impatient."""
    def shorter(match):
        before, count, unit = match.groups()
        return f"{before}{int(count) * MILLISECONDS[unit] // HURRY}ms"
    return re.sub(r"(\n +for: |\[)(\d+)([smh])\b", shorter, text)


def promtool(*arguments, stdin=None, folder=FOLDER):
    done = subprocess.run(["promtool", *arguments], input=stdin, cwd=folder, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def metrics_pages(cluster):
    """What every daemon that answers exports."""
    answers = [http_get(url) for region in cluster
               for url in (region.admin_url("/metrics"), region.replicator_url("/metrics"))]
    return [text for status, text in answers if status == 200]


class Prometheus:
    def __init__(self, cluster, folder, change_rules=hurried, workers=(), token_file=None):
        """`workers`: (region, address) of the admin pages of further replicators.
        `token_file`: of the daemons."""
        if shutil.which("prometheus") is None:
            pytest.skip("no prometheus (deploy/packages)")
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.cluster = cluster
        self.url = f"http://127.0.0.1:{free_port()}"
        (self.folder / "alerts.yml").write_text(change_rules((FOLDER / "alerts.yml").read_text()))
        config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
        config["global"] = {"scrape_interval": SCRAPE_INTERVAL,
                            "evaluation_interval": EVALUATION_INTERVAL}
        nodes, replicators = config["scrape_configs"]
        targets = [
            (nodes, [(r, r.address("admin")) for r in cluster]),
            (replicators, [*((r, r.address("replicator")) for r in cluster), *workers])]
        for job, addresses in targets:
            job["static_configs"] = [{"targets": [address], "labels": {"region": region.name}}
                                     for region, address in addresses]
            if token_file:
                job["authorization"]["credentials_file"] = str(token_file)
            else:
                del job["authorization"]
        self.targets = sum(len(addresses) for _, addresses in targets)
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        self.process = None
        self.fired = set()  # names of alerts that were seen to fire

    def __enter__(self):
        with open(self.folder / "prometheus.log", "w") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address={self.url[7:]}"], stdout=log, stderr=log)
        try:
            wait_until(self.scrapes_all, 60, "all daemons are scraped")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def scrapes_all(self):
        up = self.value("sum(up)")
        return up and up[0]["value"][1] == str(self.targets)

    def ask(self, path):
        status, body = http_get(self.url + path)
        return json.loads(body)["data"] if status == 200 else None

    def value(self, expression):
        data = self.ask("/api/v1/query?query=" + urllib.parse.quote(expression))
        return data and data["result"]

    def alerts(self):
        data = self.ask("/api/v1/alerts") or {"alerts": []}
        return [alert for alert in data["alerts"] if alert["state"] == "firing"]

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.alerts()}

    def wait(self, fires=(), quiet=(), seconds=60):
        """Until all of `fires` fire and none of `quiet` does."""
        def check():
            alerts = self.alerts()
            firing = {alert["labels"]["alertname"] for alert in alerts}
            self.fired |= firing
            return set(fires) <= firing and not set(quiet) & firing and (alerts,)
        try:
            alerts, = wait_until(check, seconds, f"{fires} fire and {quiet} do not")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.firing()} do") from None
        for alert in alerts:
            check_names(alert)
        # Many metrics are there only while something is wrong.
        for text in metrics_pages(self.cluster):
            promtool("check", "metrics", stdin=text)

    def wait_calm(self, seconds=90):
        """Until nothing fires."""
        self.wait(quiet=[rule["alert"] for rule in rules()], seconds=seconds)


def check_names(alert):
    """What an alert says names whatever its text wants to name."""
    name = alert["labels"]["alertname"]
    (rule,) = [rule for rule in rules() if rule["alert"] == name]
    for text in rule["annotations"].values():
        for label in re.findall(r"\$labels\.(\w+)", text):
            assert alert["labels"].get(label), f"{name} does not know its {label}: {alert}"
