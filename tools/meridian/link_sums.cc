// What follows from the figures of links without asking anybody.
#include <algorithm>

#include "tools/meridian/link_sums.h"
#include "tools/meridian/links.h"

namespace meridian::cli {

std::string Link::measured_by() const {
  if (records.count() > 0) return "records";
  return probes.count() > 0 ? "probes" : "";
}

std::optional<double> Link::quantile_ms(double quantile) const {
  if (lag().count() == 0) return std::nullopt;
  return static_cast<double>(lag().quantile_us(quantile)) / 1000.0;
}

std::optional<double> Link::max_ms() const {
  if (lag().count() == 0) return std::nullopt;
  return static_cast<double>(lag().max_us) / 1000.0;
}

int severity(const std::string& state) {
  static const std::vector<std::string> kFromGood = {
      "",            "stopped",   "waiting",       "running",     "delayed", "lossy", "limited",
      "quarantined", "idle",      "asking",        "starting",    "paused",  "backing_off",
      "cut",         "held",      "repairing",     "repair_needed", "unreachable", "unknown"};
  auto at = std::find(kFromGood.begin(), kFromGood.end(), state);
  return static_cast<int>(at - kFromGood.begin());
}

namespace {

// What is unknown of one table is unknown of the sum.
template <typename T>
void add(std::optional<T>& sum, const std::optional<T>& value) {
  if (sum && value) {
    *sum += *value;
  } else {
    sum.reset();
  }
}

template <typename T, typename Pick>
void take(std::optional<T>& chosen, const std::optional<T>& value, Pick pick) {
  if (value) chosen = chosen ? pick(*chosen, *value) : *value;
}

const std::vector<std::string> kTrends = {"", "shrinking", "steady", "growing"};

std::string worse_trend(const std::string& a, const std::string& b) {
  auto rank = [](const std::string& trend) {
    return std::find(kTrends.begin(), kTrends.end(), trend) - kTrends.begin();
  };
  return rank(a) >= rank(b) ? a : b;
}

void add(Link& sum, const Link& link) {
  if (severity(link.state) > severity(sum.state)) {
    sum.state = link.state;
    sum.reason = link.reason.empty() ? "" : link.table + ": " + link.reason;
  }
  sum.records.add(link.records);
  sum.probes.add(link.probes);
  add(sum.pending_records, link.pending_records);
  add(sum.pending_bytes, link.pending_bytes);
  auto larger = [](auto a, auto b) { return std::max(a, b); };
  take(sum.oldest_pending_ms, link.oldest_pending_ms, larger);
  take(sum.applied_us, link.applied_us, larger);
  take(sum.probe_us, link.probe_us, larger);
  // (What is unknown of one table is unknown of all.)
  if (sum.watermark_us && link.watermark_us) {
    sum.watermark_us = std::min(*sum.watermark_us, *link.watermark_us);
  } else {
    sum.watermark_us.reset();
  }
  if (!sum.clock_offset_ms) sum.clock_offset_ms = link.clock_offset_ms;
  sum.trend = worse_trend(sum.trend, link.trend);
  sum.parked += link.parked;
  sum.collapsed_records += link.collapsed_records;
  sum.collapsed_bytes += link.collapsed_bytes;
}

}  // namespace

std::vector<Link> sum_by_link(const std::vector<Link>& links) {
  std::map<std::pair<std::string, std::string>, Link> sums;
  for (const auto& link : links) {
    auto [at, first] = sums.try_emplace({link.source, link.sink});
    Link& sum = at->second;
    if (first) {
      sum.source = link.source;
      sum.sink = link.sink;
      sum.pending_records = 0;
      sum.pending_bytes = 0;
      sum.watermark_us = link.watermark_us;
    }
    add(sum, link);
  }
  std::vector<Link> out;
  for (auto& [key, sum] : sums) out.push_back(std::move(sum));
  return out;
}

}  // namespace meridian::cli
