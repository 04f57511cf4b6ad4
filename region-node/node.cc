#include "region-node/node.h"

#include <utility>

#include "common/http/origins.h"
#include "common/http/server.h"
#include "common/http/token_guard.h"
#include "common/settings.h"
#include "region-node/admin/admin.h"
#include "region-node/admin/clock_shift.h"
#include "region-node/admin/drain_pages.h"
#include "region-node/admin/verify_pages.h"
#include "region-node/alarms.h"
#include "region-node/api/api.h"
#include "region-node/console/console.h"
#include "region-node/peer/peer.h"
#include "region-node/collection_pages.h"
#include "region-node/repair_pages.h"
#include "region-node/replica_pages.h"
#include "region-node/store/sqlite_store.h"
#include "rpc/faults/pages.h"

namespace meridian::node {
namespace {

store::StoreOptions store_options(const NodeConfig& config) {
  store::StoreOptions options;
  options.data_dir = config.data_dir;
  options.region = config.region;
  options.shards = config.shards;
  options.drift_ms_max = config.clock_drift_ms_max;
  options.accept_old_clock = config.accept_old_clock;
  options.stream_rollover_ms = config.stream_shard_hours * 3600 * 1000;
  options.retention_ms = config.stream_retention_hours * 3600 * 1000;
  options.tombstone_retention_ms = config.tombstone_retention_s * 1000;
  options.unacknowledged_bytes_max = config.unacknowledged_bytes_max;
  options.ledger_entries_max = config.ledger_entries_max;
  options.ledger_bytes_max = config.ledger_bytes_max;
  return options;
}

}  // namespace

// Declared in the order of their dependencies, so destroyed in the reverse.
class Node::Parts {
 public:
  Parts(const NodeConfig& config, ShiftedClock& clock, Rng& rng, const Logger& log,
        const std::string& version)
      : store_(store_options(config), clock, Rng(rng.next())),
        peer_(store_, clock, Rng(rng.next()), log,
              {.address = config.peer_address, .peers = config.peers, .tls = config.tls,
               .protocol_max = config.protocol_max,
               .copy = {.bytes_per_s_max = config.copy_bytes_per_s_max},
               .tombstone_retention_ms = config.tombstone_retention_s * 1000}),
        api_(store_, peer_.control(), clock, Rng(rng.next()), log,
             {.readers_max = std::size_t{config.http_threads} + 2,
              .global_tables_2017 = config.global_tables_2017}),
        admin_(store_, clock, version),
        drain_pages_(store_),
        verify_pages_(store_),
        fault_pages_(config.region,
                     [this](rpc::FaultPages::Task task) {
                       return peer_.on_faults(std::move(task));
                     }),
        clock_pages_(clock, log),
        repair_pages_(store_, {[this] { return peer_.repairs(); },
                               [this](TableId table, RegionId peer) {
                                 return peer_.ask_repair(table, peer);
                               }}),
        collection_pages_(config.region, [this] { return peer_.collections(); }),
        replica_pages_(store_, peer_.control()),
        console_({config.region, config.console_nodes, config.console_replicators,
                  config.console_drills}),
        guard_(config.admin.token, console::Console::has_asset),
        alarms_(store_, log),
        http_({{config.table_address, api_.handler()}, {config.stream_address, api_.handler()}},
              config.http_threads, {}, log),
        // A server of its own, so that load on the tables does not make the node look dead.
        admin_http_({{config.admin.address,
                      // Origins outside, so that a page can read that it is refused.
                      http::Origins(console_.origins()).around(guard_.around(operate()))}},
                    1, {}, log) {
    admin_.add_metrics([this](MetricsPage& page) { api_.collect(page); });
    admin_.add_metrics([this](MetricsPage& page) { peer_.collect(page); });
    admin_.add_metrics([this](MetricsPage& page) { fault_pages_.collect(page); });
    admin_.add_metrics([this](MetricsPage& page) { clock_pages_.collect(page); });
    admin_.add_metrics([this](MetricsPage& page) { guard_.collect(page); });
    admin_.add_metrics([bytes = config.unacknowledged_bytes_max](MetricsPage& page) {
      page.gauge("meridian_log_pending_bytes_max",
                 "Bytes of a table's log from which on a peer that lacks them is cut loose.",
                 static_cast<double>(bytes));
    });
    admin_.add_pages([this](const http::Request& request) { return drain_pages_.handle(request); });
    admin_.add_pages(
        [this](const http::Request& request) { return verify_pages_.handle(request); });
    admin_.add_pages([this](const http::Request& request) { return fault_pages_.handle(request); });
    admin_.add_pages([this](const http::Request& request) { return clock_pages_.handle(request); });
    admin_.add_pages(
        [this](const http::Request& request) { return repair_pages_.handle(request); });
    admin_.add_pages(
        [this](const http::Request& request) { return collection_pages_.handle(request); });
    admin_.add_pages(
        [this](const http::Request& request) { return replica_pages_.handle(request); });
  }

  void start() {
    admin_http_.start();
    peer_.start();
    http_.start();
    admin_.set_serving(true);
  }

  void stop() {
    admin_.set_serving(false);
    http_.stop();
    peer_.stop();
    // While the API still lives: writes that the server gave up on are answered here.
    store_.stop();
    admin_http_.stop();
  }

  store::SqliteStore& store() { return store_; }
  peer::Peer& peer() { return peer_; }
  http::TokenGuard& guard() { return guard_; }

 private:
  // The admin address serves the console, DynamoDB's API for it, and the operator's endpoints.
  http::Handler operate() {
    return [this, api = api_.handler()](http::Request request, const http::Responder& respond) {
      if (!request.header("X-Amz-Target").empty()) {
        api(std::move(request), respond);
      } else if (auto page = console_.handle(request)) {
        respond(std::move(*page));
      } else {
        respond(admin_.handle(request));
      }
    };
  }

  store::SqliteStore store_;
  peer::Peer peer_;
  api::Api api_;
  admin::Admin admin_;
  admin::DrainPages drain_pages_;
  admin::VerifyPages verify_pages_;
  rpc::FaultPages fault_pages_;
  admin::ClockShiftPages clock_pages_;
  RepairPages repair_pages_;
  CollectionPages collection_pages_;
  ReplicaPages replica_pages_;
  console::Console console_;
  http::TokenGuard guard_;
  AlarmThread alarms_;
  http::HttpServer http_;
  http::HttpServer admin_http_;
};

Node::Node(NodeConfig config, Clock& clock, Rng rng, Logger log, std::string version)
    : config_(std::move(config)),
      clock_(clock),
      rng_(rng),
      log_(std::move(log)),
      version_(std::move(version)) {}

Node::~Node() { stop(); }

void Node::start() {
  auto parts = std::make_unique<Parts>(config_, clock_, rng_, log_, version_);
  try {
    parts->start();
  } catch (...) {
    parts->stop();
    throw;
  }
  parts_ = std::move(parts);
  log_.info("started", "region={} node={:016x} start={:016x} table={} streams={} admin={} peer={}",
            config_.region.name(), parts_->store().node_id().value,
            parts_->store().start_id().value, config_.table_address, config_.stream_address,
            config_.admin.address, config_.peer_address);
  log_.warn("signatures_not_verified",
            "requests are accepted whoever signed them; {}",
            config_.reach == Reach::loopback
                ? "listening on loopback only"
                : "whoever reaches this node's addresses may read and write");
  if (config_.admin.token.empty() && !is_loopback(config_.admin.address))
    log_.warn("admin_without_token",
              "whoever reaches {} may change and break this region; see admin_token_file",
              config_.admin.address);
}

void Node::reload(const NodeConfig& now) {
  log_.info("settings_reloaded", "");
  parts_->peer().add_peers(now.peers);
  parts_->guard().replace(now.admin.token);
}

void Node::stop() {
  if (!parts_) return;
  parts_->stop();
  parts_.reset();
}

}  // namespace meridian::node
