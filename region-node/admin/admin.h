// Admin: the operator's endpoint of a region node: health, metrics, status and rows.
//
//   GET  /livez                        200 while the process runs
//   GET  /readyz                       200 when it serves reads and writes, else 503 and why
//   GET  /metrics                      Prometheus text
//   GET  /v1/status                    JSON: identity, readiness, clock, tables with backlog
//   GET  /v1/tables/NAME/rows          JSON: rows in key order, tombstones included
//        ?after=<hex key>&limit=N      (limit at most kRowsMax)
//   GET  /v1/tables/NAME/row?key=<hex> JSON: one row
//   /v1/clock                          clock.h
//   /v1/tables/NAME/quarantine         quarantine.h
//   GET  /v1/tables/NAME/conflicts, /v1/tables/NAME/history   see conflict_pages.h
//
// Threads: handle() runs on the admin server's one thread; add_metrics() and add_pages() before it
// starts.
// Borrows: the store.
// Errors: 404 and 400 with {"error": "..."}.
#pragma once

#include <boost/json/object.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/http/server.h"
#include "common/metrics.h"
#include "region-node/admin/target.h"
#include "region-node/store/store.h"

namespace meridian::admin {

struct TableFigures;

inline constexpr std::size_t kRowsMax = 10'000;

struct TableFigures;

class Admin {
 public:
  Admin(store::Store& store, const Clock& clock, std::string version);

  // Adds a component's own figures to every scrape.
  void add_metrics(std::function<void(MetricsPage&)> collect);
  // Adds pages of a component; they are asked before the pages above.  Empty: not one of them.
  using Pages = std::function<std::optional<http::Response>(const http::Request&)>;
  void add_pages(Pages pages);
  // False until start-up is complete and from the moment that shutdown begins.
  void set_serving(bool serving) { serving_ = serving; }

  http::Response handle(const http::Request& request);

 private:
  http::Response serve(const Target& target, const std::string& method);
  http::Response readiness();
  http::Response metrics();
  http::Response status();
  [[nodiscard]] boost::json::object table_status(const TableFigures& figures) const;
  http::Response rows(const Target& target);
  http::Response row(const Target& target);
  void collect_store(MetricsPage& page);
  void collect_conflicts(MetricsPage& page, const store::StoreHealth& health);
  void collect_tombstones(MetricsPage& page, const TableFigures& figures);
  void collect_tables(MetricsPage& page);
  static void collect_watermarks(MetricsPage& page, const TableFigures& figures);
  std::string not_ready_reason();

  store::Store& store_;
  const Clock& clock_;
  const std::string version_;
  std::unique_ptr<store::Reader> reader_;
  std::vector<std::function<void(MetricsPage&)>> collectors_;
  std::vector<Pages> pages_;
  std::atomic<bool> serving_{false};
};

}  // namespace meridian::admin
