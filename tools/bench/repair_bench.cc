#include "tools/bench/repair_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <stdexcept>

#include "common/clock.h"
#include "tools/bench/http_load.h"
#include "tools/bench/regions.h"
#include "tools/bench/requests.h"

namespace meridian::bench {
namespace {

namespace json = boost::json;

constexpr std::int64_t kRepairPollUs = 50'000;
constexpr std::int64_t kRepairMsMax = 600'000;
constexpr std::uint64_t kChangedEvery = 100;  // 1 % on each side
// The log that is kept for the other side is a fraction of what is written to it during the outage.
constexpr std::uint64_t kBoundPart = 4;
constexpr std::uint64_t kBoundMin = 1 << 20;  // the least that a node can be told

// What both regions have done about the table.
struct Repairs {
  bool needed_by_both = true;
  bool needed = false;
  std::uint64_t count = 0;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::int64_t took_ms = 0;  // of the last
};

class RepairBench {
 public:
  RepairBench(const Options& options, const WorkDir& dir, Report& report)
      : options_(options),
        dir_(dir),
        report_(report),
        here_ports_(draw_ports("us-east-1")),
        there_ports_(draw_ports("eu-west-1")),
        here_(options, dir, here_ports_, {there_ports_}, bound(options)),
        there_(options, dir, there_ports_, {here_ports_}, bound(options)) {}

  void run() {
    progress(fmt::format("repair: filling {} items in two regions", options_.repair_items));
    create_filled(options_, dir_, {&here_, &there_}, options_.repair_items);
    verify("equal", true);

    progress("repair: an outage, and 1 % changed on each side");
    cut_link(here_, there_);
    std::uint64_t changed = 0;
    // (Of a small table over and over, until the logs have grown past their bound.)
    wait("both regions have cut the other loose", [&] {
      changed = change(here_, 0) + change(there_, kChangedEvery / 2);
      return look().needed_by_both;
    });
    verify("different", false, {"--settle", "0ms"});
    json_["items"] = options_.repair_items;
    json_["changed"] = changed;
    mend(changed);
    verify("mended", true);
    report_.json["repair"] = std::move(json_);
  }

 private:
  static std::string bound(const Options& options) {
    auto written = options.repair_items / kChangedEvery * options.payload_bytes;
    return fmt::format("unacknowledged_bytes_max: {}\n",
                       std::max(kBoundMin, written / kBoundPart));
  }

  // Puts over every hundredth row; answers how many.
  std::uint64_t change(Region& region, std::uint64_t first) {
    auto requests = RequestTemplate::put(options_);
    std::uint64_t number = first;
    HttpLoadPlan plan{.port = region.ports.table,
                      .connections = 32,
                      .requests_max = (options_.repair_items - first + kChangedEvery - 1) /
                                      kChangedEvery,
                      .next = [&] {
                        auto request = requests.make(number);
                        number += kChangedEvery;
                        return request;
                      }};
    auto load = run_http_load(plan);
    if (load.failed > 0) throw std::runtime_error("a write was refused: " + load.first_failure);
    return load.answered;
  }

  Repairs look() {
    Repairs out;
    for (auto* region : {&here_, &there_}) {
      region->check_alive();
      bool needed = false;
      auto page = admin_page(region->ports.admin, "/v1/repairs");
      for (const auto& each : page.at("repairs").as_array()) {
        const auto& repair = each.as_object();
        needed = needed || !repair.at("needed").as_string().empty();
        out.count += repair.at("repairs").to_number<std::uint64_t>();
        out.rows += repair.at("rows").to_number<std::uint64_t>();
        out.bytes += repair.at("bytes").to_number<std::uint64_t>();
        out.took_ms =
            std::max(out.took_ms, repair.at("last").at("ms").to_number<std::int64_t>());
      }
      out.needed = out.needed || needed;
      out.needed_by_both = out.needed_by_both && needed;
    }
    return out;
  }

  void wait(const std::string& what, const std::function<bool()>& there) {
    std::int64_t until_ms = clock_.monotonic_ms() + kRepairMsMax;
    while (!there()) {
      if (clock_.monotonic_ms() > until_ms) throw std::runtime_error("waited in vain: " + what);
      pause_us(kRepairPollUs);
    }
  }

  // Of the images of all items, as the region counts them.
  std::uint64_t table_bytes() {
    auto status = admin_page(here_ports_.admin, "/v1/status");
    for (const auto& table : status.at("tables").as_array())
      if (table.at("name").as_string() == kTable)
        return table.at("bytes").to_number<std::uint64_t>();
    throw std::runtime_error("the table is gone");
  }

  // Heals the link and waits for what follows.
  void mend(std::uint64_t changed) {
    progress("repair: the link heals");
    std::int64_t begun_us = clock_.monotonic_us();
    heal_link(here_, there_);
    Repairs repairs;
    wait("the regions have repaired themselves", [&] {
      repairs = look();
      return repairs.count > 0 && !repairs.needed;
    });
    double seconds = static_cast<double>(clock_.monotonic_us() - begun_us) / 1e6;
    auto size = table_bytes();
    double percent = 100 * static_cast<double>(repairs.bytes) / static_cast<double>(size);
    report_.line("repair: by itself", 0,
                 fmt::format("{} of {} rows mended, {:.1f} MB exchanged, {:.2f} % of the table's "
                             "{:.0f} MB; {:.1f} s after the link healed, {:.1f} s of it comparing "
                             "and mending",
                             repairs.rows, changed, static_cast<double>(repairs.bytes) / 1e6,
                             percent, static_cast<double>(size) / 1e6, seconds,
                             static_cast<double>(repairs.took_ms) / 1000));
    json_["rows"] = repairs.rows;
    json_["bytes"] = repairs.bytes;
    json_["table_bytes"] = size;
    json_["percent"] = rounded(percent, 2);
    json_["seconds_from_heal"] = rounded(seconds, 2);
    json_["seconds"] = rounded(static_cast<double>(repairs.took_ms) / 1000, 2);
  }

  void verify(const std::string& when, bool identical,
              const std::vector<std::string>& arguments = {}) {
    progress("repair: verify, " + when);
    auto verified = run_verify(dir_, {&here_, &there_}, arguments);
    if (verified.identical != identical)
      throw std::runtime_error("the regions are not as they should be: " +
                               json::serialize(verified.report));
    report_.line("verify, " + when, 0,
                 fmt::format("{} items, {} differ, {:.1f} s", verified.items, verified.differing,
                             verified.seconds));
    json_["verify_" + when] = json::object{{"items", verified.items},
                                           {"differing", verified.differing},
                                           {"seconds", rounded(verified.seconds, 2)}};
  }

  const Options& options_;
  const WorkDir& dir_;
  Report& report_;
  const SystemClock clock_;
  const RegionPorts here_ports_;
  const RegionPorts there_ports_;
  Region here_;
  Region there_;
  json::object json_;
};

}  // namespace

void run_repair_bench(const Options& options, const WorkDir& dir, Report& report) {
  RepairBench(options, dir, report).run();
}

}  // namespace meridian::bench
