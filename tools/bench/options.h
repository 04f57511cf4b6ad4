// Options: what one run of the bench measures, and for how long.
// Threads: a value, read at start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace meridian::bench {

struct Options {
  std::string json_file;
  std::string dir;  // where the temporary directory is made; empty: the system's own
  bool quick = false;
  bool growth = false;
  bool one_way = false;         // no replicator at the sink
  std::set<std::string> only;   // sections; empty: all
  std::uint64_t seed = 1;

  unsigned connections = 32;
  unsigned http_threads = 2;    // of the node and of the bare server
  std::uint16_t shards = 4;     // log shards of every table
  std::size_t payload_bytes = 1000;
  std::uint64_t partitions = 64;  // that rows are spread over
  std::uint64_t update_keys = 100'000;  // items that updates are spread over

  // Lengths; the defaults are those of a full run.
  int http_rounds = 3;
  std::int64_t http_round_ms = 4000;
  std::int64_t apply_ms = 25'000;
  std::uint64_t catch_up_rows = 1'000'000;
  std::int64_t lag_ms = 30'000;
  std::int64_t bare_ms = 5000;
  std::uint64_t growth_unit_rows = 100'000;  // growth is measured at 1, 10 and 100 of these

  // The large runs, which are made only when they are named.
  std::uint64_t join_items = 2'000'000;
  double join_writes = 2000;  // a second
  std::int64_t join_before_ms = 30'000;
  std::uint64_t repair_items = 1'000'000;
  std::int64_t ledger_ms = 10'000;
  int ledger_rounds = 5;

  [[nodiscard]] bool names(const std::string& section) const { return only.contains(section); }
  [[nodiscard]] bool wants(const std::string& section) const {
    return only.empty() || only.contains(section);
  }
  void shorten() {
    http_round_ms = 1000;
    apply_ms = 5000;
    catch_up_rows = 100'000;
    lag_ms = 10'000;
    bare_ms = 2000;
    update_keys = 20'000;
    growth_unit_rows = 5000;
    join_items = 200'000;
    join_before_ms = 10'000;
    repair_items = 100'000;
    ledger_ms = 3000;
    ledger_rounds = 3;
  }
  void shorten_to(std::int64_t ms) {
    http_rounds = 1;
    http_round_ms = apply_ms = lag_ms = bare_ms = ms;
    catch_up_rows = 2000;
    update_keys = 1000;
    growth_unit_rows = 100;
    join_items = 20'000;
    join_before_ms = ledger_ms = ms;
    join_writes = 200;
    repair_items = 5000;
    ledger_rounds = 1;
  }
};

}  // namespace meridian::bench
