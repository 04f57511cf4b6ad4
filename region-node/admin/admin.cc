#include "region-node/admin/admin.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

#include "region-node/admin/clock.h"
#include "region-node/admin/conflict_pages.h"
#include "region-node/admin/figures.h"
#include "region-node/admin/quarantine.h"
#include "region-node/admin/verify_pages.h"

namespace meridian::admin {
namespace json = boost::json;

namespace {

http::Response plain(int status, std::string text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .headers = {},
          .body = std::move(text) + "\n"};
}

}  // namespace

Admin::Admin(store::Store& store, const Clock& clock, std::string version)
    : store_(store), clock_(clock), version_(std::move(version)), reader_(store.open_reader()) {}

void Admin::add_metrics(std::function<void(MetricsPage&)> collect) {
  collectors_.push_back(std::move(collect));
}

void Admin::add_pages(Pages pages) { pages_.push_back(std::move(pages)); }

http::Response Admin::handle(const http::Request& request) {
  try {
    for (const auto& pages : pages_)
      if (auto answered = pages(request)) return std::move(*answered);
    return serve(Target(request.target), request.method);
  } catch (const std::exception& failure) {
    // A damaged file, say: whoever looks here wants to know.
    return complain(500, failure.what());
  }
}

http::Response Admin::serve(const Target& target, const std::string& method) {
  if (target.path.starts_with("/v1/clock")) return serve_clock(store_, target, method);
  if (target.leaf.starts_with("quarantine"))
    return serve_quarantine(store_, *reader_, target, method);
  if (method != "GET") return complain(405, "only GET is served here");
  if (target.path == "/livez") return plain(200, "ok");
  if (target.path == "/readyz") return readiness();
  if (target.path == "/metrics") return metrics();
  if (target.path == "/v1/status") return status();
  if (target.leaf == "rows") return rows(target);
  if (target.leaf == "row") return row(target);
  if (target.leaf == "conflicts") return conflicts_page(store_, *reader_, target);
  if (target.leaf == "history") return history_page(store_, *reader_, target);
  return complain(404, "no such page; see /v1/status, /metrics, /readyz, /livez");
}

std::string Admin::not_ready_reason() {
  if (!serving_) return "starting or stopping";
  store::StoreHealth health = store_.health();
  if (!health.accepts_writes) return health.reason;
  if (health.clock_stepped)
    return "the wall clock stepped by " + std::to_string(health.clock_step_ms) +
           " ms; writes are refused until it is back, or until meridian clock accept --region " +
           std::string(store_.region().name());
  store::ClockReport clock = store_.clock_report();
  if (clock.minted_ahead_ms > clock.bound_ms)
    return "the wall clock is " + std::to_string(clock.minted_ahead_ms) +
           " ms behind the newest version of this region; client writes are refused until it has"
           " come that far";
  return {};
}

http::Response Admin::readiness() {
  std::string reason = not_ready_reason();
  return reason.empty() ? plain(200, "ready") : plain(503, reason);
}

json::object Admin::table_status(const TableFigures& figures) const {
  const store::TableInfo& table = *figures.table;
  json::array replicas;
  json::object watermarks_us;
  for (const auto& [region, entry] : table.replicas) {
    if (!entry.present) continue;
    std::string name(region.name());
    replicas.emplace_back(name);
    // Of itself it knows what it minted, which nobody has to receive.
    auto known = figures.watermarks.find(region);
    if (region != store_.region() && known != figures.watermarks.end())
      watermarks_us[name] = known->second.physical_ms() * 1000;
  }
  json::array backlog;
  for (const SinkBacklog& sink : figures.backlog) {
    json::value oldest_ms = nullptr;
    if (sink.oldest_us)
      oldest_ms = std::max<std::int64_t>(0, (clock_.wall_us() - *sink.oldest_us) / 1000);
    backlog.push_back(json::object{{"sink", std::string(sink.sink.name())},
                                   {"pending_records", sink.pending_records},
                                   {"pending_bytes", sink.pending_bytes},
                                   {"oldest_pending_ms", oldest_ms}});
  }
  return {{"name", table.name},
          {"id", table.id.hex()},
          {"status", "ACTIVE"},
          {"replicas", std::move(replicas)},
          {"shards", table.shards},
          {"items", figures.stats.items},
          {"bytes", figures.stats.item_bytes},
          {"tombstones", figures.stats.tombstones},
          {"collected_ms", reader_->collected(table.id).physical_ms()},
          {"parked", figures.parked.records},
          {"conflicts", figures.ledger.entries},
          {"conflicts_dropped", figures.ledger.dropped},
          {"watermarks_us", std::move(watermarks_us)},
          {"backlog", std::move(backlog)}};
}

http::Response Admin::status() {
  store::StoreHealth health = store_.health();
  std::string reason = not_ready_reason();
  json::array tables;
  for (const TableFigures& figures : read_tables(store_, *reader_))
    tables.push_back(table_status(figures));
  return answer(200, {{"region", std::string(store_.region().name())},
                      {"version", version_},
                      {"node_id", hex16(store_.node_id().value)},
                      {"start_id", hex16(store_.start_id().value)},
                      {"ready", reason.empty()},
                      {"reason", reason},
                      {"wall_us", clock_.wall_us()},
                      {"clock", clock_json(store_.clock_report())},
                      {"tables", std::move(tables)},
                      {"store", json::object{{"accepts_writes", health.accepts_writes},
                                             {"commits", health.commits},
                                             {"syncs_commit", health.syncs_commit},
                                             {"syncs_wal_start", health.syncs_wal_start},
                                             {"syncs_checkpoint", health.syncs_checkpoint},
                                             {"writes_committed", health.writes_committed},
                                             {"records_applied", health.records_applied},
                                             {"records_stale", health.records_stale},
                                             {"records_duplicate", health.records_duplicate},
                                             {"records_forked", health.records_forked},
                                             {"records_parked", health.records_parked},
                                             {"conflicts_lost_here", health.conflicts_lost_here},
                                             {"conflicts_lost_elsewhere",
                                              health.conflicts_lost_elsewhere},
                                             {"ledger_bytes", health.ledger_bytes},
                                             {"ledger_dropped", health.ledger_dropped},
                                             {"tombstones_collected",
                                              health.tombstones_collected},
                                             {"batches_held", health.batches_held},
                                             {"queue_depth", health.queue_depth},
                                             {"queue_refused", health.queue_refused},
                                             {"wal_bytes", health.wal_bytes}}}});
}

http::Response Admin::rows(const Target& target) {
  store::TablePtr table = store_.catalog()->find(target.table);
  if (!table) return complain(404, "no table named " + target.table);
  auto after = from_hex(target.value("after"));
  if (!after) return complain(400, "after must be the hexadecimal key of a row");
  std::string limit_text = target.value("limit");
  std::size_t limit = 1000;
  if (!limit_text.empty()) {
    const char* end = limit_text.data() + limit_text.size();
    auto [stop, error] = std::from_chars(limit_text.data(), end, limit);
    if (error != std::errc() || stop != end || limit == 0 || limit > kRowsMax)
      return complain(400, "limit must be a number from 1 to " + std::to_string(kRowsMax));
  }
  json::array out;
  for (const store::Row& row : reader_->scan_rows(table->id, *after, limit))
    out.push_back(describe_row(table->keys, row));
  return answer(200, {{"table", table->name}, {"id", table->id.hex()}, {"rows", std::move(out)}});
}

http::Response Admin::row(const Target& target) {
  store::TablePtr table = store_.catalog()->find(target.table);
  if (!table) return complain(404, "no table named " + target.table);
  auto key = from_hex(target.value("key"));
  if (!key) return complain(400, "key must be hexadecimal");
  auto row = reader_->get_row(table->id, *key);
  if (!row) return complain(404, "no row at this key");
  return answer(200, describe_row(table->keys, *row));
}

http::Response Admin::metrics() {
  MetricsPage page;
  collect_store(page);
  collect_tables(page);
  collect_clock(store_, page);
  for (const auto& collect : collectors_) collect(page);
  return {
      .status = 200, .content_type = MetricsPage::kContentType, .headers = {}, .body = page.text()};
}

void Admin::collect_store(MetricsPage& page) {
  store::StoreHealth health = store_.health();
  auto number = [](auto value) { return static_cast<double>(value); };
  page.gauge("meridian_build_info", "Version of this region node; the value is always 1.", 1,
             {{"version", version_}, {"region", std::string(store_.region().name())}});
  page.gauge("meridian_store_accepts_writes", "1 while client writes are accepted.",
             health.accepts_writes);
  page.counter("meridian_store_commits_total", "Transactions committed by the writer.",
               number(health.commits));
  const char* syncs = "Data syncs of the store's files; one per commit, and those of checkpoints.";
  page.counter("meridian_store_syncs_total", syncs, number(health.syncs_commit),
               {{"reason", "commit"}});
  page.counter("meridian_store_syncs_total", syncs, number(health.syncs_wal_start),
               {{"reason", "wal_start"}});
  page.counter("meridian_store_syncs_total", syncs, number(health.syncs_checkpoint),
               {{"reason", "checkpoint"}});
  page.counter("meridian_store_writes_total", "Client writes committed.",
               number(health.writes_committed));
  const char* applied = "Replicated records by what became of them.";
  page.counter("meridian_store_replicated_records_total", applied, number(health.records_applied),
               {{"result", "applied"}});
  page.counter("meridian_store_replicated_records_total", applied, number(health.records_stale),
               {{"result", "stale"}});
  page.counter("meridian_store_replicated_records_total", applied, number(health.records_duplicate),
               {{"result", "duplicate"}});
  page.counter("meridian_store_replicated_records_total", applied, number(health.records_forked),
               {{"result", "forked"}});
  page.counter("meridian_store_replicated_records_total", applied, number(health.records_parked),
               {{"result", "parked"}});
  collect_conflicts(page, health);
  page.counter("meridian_tombstones_collected_total",
               "Tombstones forgotten: no replica needs them any more.",
               number(health.tombstones_collected));
  page.gauge("meridian_conflict_ledger_bytes", "Size of the conflict ledger.",
             number(health.ledger_bytes));
  page.counter("meridian_store_batches_held_total", "Replicated batches held by the clock guard.",
               number(health.batches_held));
  page.gauge("meridian_writer_queue_depth", "Operations waiting for the writer.",
             number(health.queue_depth));
  page.counter("meridian_writer_queue_refused_total",
               "Operations refused because the queue was full.", number(health.queue_refused));
  page.gauge("meridian_store_wal_bytes", "Size of the write-ahead log.", number(health.wal_bytes));
}

// Of every table, so that a rate knows that there were none before.
void Admin::collect_conflicts(MetricsPage& page, const store::StoreHealth& health) {
  for (const auto& [id, table] : store_.catalog()->by_id) {
    auto at = std::ranges::find(health.conflicts, id, &store::TableConflicts::table);
    auto counted = at == health.conflicts.end() ? store::TableConflicts{.table = id} : *at;
    auto add = [&, &table = table](const char* written, std::uint64_t count) {
      page.counter("meridian_conflicts_total",
                   "Writes that lost unseen, by where they had been written.",
                   static_cast<double>(count), {{"table", table->name}, {"written", written}});
    };
    add("here", counted.lost_here);
    add("elsewhere", counted.lost_elsewhere);
  }
}

void Admin::collect_watermarks(MetricsPage& page, const TableFigures& figures) {
  for (const auto& [origin, entry] : figures.table->replicas) {
    if (!entry.present) continue;
    auto known = figures.watermarks.find(origin);
    auto up_to_ms = known == figures.watermarks.end() ? 0 : known->second.physical_ms();
    page.gauge("meridian_table_watermark_timestamp_seconds",
               "Up to when everything written at the origin is applied here; 0 when unknown.",
               static_cast<double>(up_to_ms) / 1e3,
               {{"table", figures.table->name}, {"origin", std::string(origin.name())}});
  }
}

void Admin::collect_tombstones(MetricsPage& page, const TableFigures& figures) {
  MetricLabels labels{{"table", figures.table->name}};
  auto seconds = [](conflict::Hlc hlc) { return static_cast<double>(hlc.physical_ms()) / 1e3; };
  page.gauge("meridian_table_tombstones", "Deleted keys that are remembered.",
             static_cast<double>(figures.stats.tombstones), labels);
  page.gauge("meridian_table_collected_timestamp_seconds",
             "G: the newest tombstone that was collected; 0 while none was.",
             seconds(reader_->collected(figures.table->id)), labels);
  page.gauge("meridian_table_oldest_tombstone_timestamp_seconds",
             "When the oldest tombstone that is kept was written; 0 when there is none.",
             seconds(reader_->oldest_tombstone(figures.table->id).value_or(conflict::Hlc{})),
             labels);
}

void Admin::collect_tables(MetricsPage& page) {
  std::vector<TableFigures> tables = read_tables(store_, *reader_);
  std::string source(store_.region().name());
  auto number = [](auto value) { return static_cast<double>(value); };
  for (const TableFigures& figures : tables) {
    MetricLabels labels{{"table", figures.table->name}};
    page.gauge("meridian_table_items", "Live items.", number(figures.stats.items), labels);
    page.gauge("meridian_table_bytes", "Bytes of live items as stored.",
               number(figures.stats.item_bytes), labels);
    collect_tombstones(page, figures);
    page.gauge("meridian_table_parked_records",
               "Replicated records in quarantine: they could not be applied.",
               number(figures.parked.records), labels);
    page.gauge("meridian_table_parked_oldest_timestamp_seconds",
               "Commit time at its source of the oldest record in quarantine; 0 when none.",
               figures.parked.oldest_us ? number(*figures.parked.oldest_us) / 1e6 : 0, labels);
    page.gauge("meridian_conflict_ledger_entries", "Losers listed in this region's ledger.",
               number(figures.ledger.entries), labels);
    page.counter("meridian_conflict_ledger_dropped_total",
                 "Losers dropped from the ledger to stay within its limits.",
                 number(figures.ledger.dropped), labels);
    collect_watermarks(page, figures);
    for (const SinkBacklog& sink : figures.backlog) {
      MetricLabels link{{"table", figures.table->name},
                        {"source", source},
                        {"sink", std::string(sink.sink.name())}};
      page.gauge("meridian_log_pending_records",
                 "Local records that the sink has not acknowledged.", number(sink.pending_records),
                 link);
      page.gauge("meridian_log_pending_bytes", "Bytes of those records.",
                 number(sink.pending_bytes), link);
      page.gauge("meridian_log_oldest_pending_timestamp_seconds",
                 "Commit time of the oldest unacknowledged record; 0 when there is none.",
                 sink.oldest_us ? number(*sink.oldest_us) / 1e6 : 0, link);
    }
  }
}

}  // namespace meridian::admin
