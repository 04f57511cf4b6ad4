#include "region-node/peer/peer.h"

#include <fmt/format.h>

#include <atomic>
#include <future>
#include <stdexcept>

#include "region-node/peer/collector.h"
#include "region-node/peer/control.h"
#include "region-node/peer/copier.h"
#include "region-node/peer/membership.h"
#include "region-node/peer/repair_metrics.h"
#include "region-node/peer/repairer.h"
#include "region-node/peer/server.h"
#include "rpc/faults/link_faults.h"
#include "rpc/kj_log.h"
#include "rpc/kj_thread.h"
#include "rpc/tls.h"

namespace meridian::peer {
namespace {

// Everything that lives on the KJ thread, in the order of its dependencies.
struct Inside {
  Inside(store::Store& store, const Clock& clock, rpc::KjThread& thread, ServerCounters& counters,
         rpc::TlsCounters& tls_counters, Rng& rng, const Logger& log, const PeerOptions& options,
         CopyBoard& board)
      : tls(options.tls.on() ? std::make_unique<rpc::Tls>(options.tls, store.region(),
                                                          thread.timer(), clock, tls_counters, log)
                             : nullptr),
        faults(thread.timer(), rng, store.region(), log),
        server(store, clock, thread.timer(), thread.mailbox(), counters, log,
               {.protocol_max = options.protocol_max}),
        membership({store, clock, thread.timer(), thread.network(), thread.mailbox(), rng, log,
                    faults, tls.get(), options.protocol_max},
                   options.peers),
        control(store, membership, thread.timer(), thread.mailbox(), log),
        repairer({store, membership, clock, thread.timer(), thread.mailbox(), faults, log}),
        collector({store, membership, clock, thread.timer(), thread.mailbox(), log,
                   [this](const TableId& table) { return repairer.mending(table); }},
                  {.retention_ms = options.tombstone_retention_ms}),
        copier({store, clock, thread.timer(), thread.mailbox(), membership, board, options.copy,
                log}) {
    server.on_drop([this](TableId table) { return control.drop_replica(table); });
    membership.on_new_life([this](const RegionId& region) { repairer.ask_all(region); });
    server.on_repair([this](RegionId peer, rpc::RepairRequest request) {
      return repairer.answer(peer, std::move(request));
    });
    server.on_paused([this](const RegionId& region) {
      return faults.known(region) && faults.link(region).paused();
    });
    server.on_report([&board](TableId table, RegionId region, std::uint32_t percent,
                              std::string text) {
      api::ReplicaProgress progress;
      progress.percent = percent;
      progress.text = std::move(text);
      board.set(table, region, std::move(progress));
    });
  }

  std::unique_ptr<rpc::Tls> tls;  // null: plain text
  rpc::LinkFaults faults;
  Server server;
  Membership membership;
  Control control;
  Repairer repairer;
  Collector collector;
  Copier copier;
};

}  // namespace

// ReplicaControl for the API's threads: carries each request to the KJ thread.
class Peer::Impl final : public api::ReplicaControl {
 public:
  Impl(store::Store& store, const Clock& clock, Rng rng, Logger log, PeerOptions options)
      : store_(store),
        clock_(clock),
        rng_(rng),
        log_(std::move(log)),
        options_(std::move(options)),
        thread_(log_) {}
  ~Impl() override { stop(); }

  void start() {
    thread_.start();
    started_ = true;
    try {
      thread_.run([this] { set_up(); });
    } catch (const std::exception& failure) {
      stop();
      throw std::runtime_error(
          fmt::format("cannot listen on {}: {}", options_.address, failure.what()));
    }
    open_ = true;
    log_.info("peer_listening", "address={} port={}", options_.address, port_);
  }

  void stop() {
    if (!started_) return;
    started_ = false;
    open_ = false;
    store_.on_commit({});
    // After the loop's last turn: Cap'n Proto lets a call run on for a while after its connection has
    // died, and the calls use the server.
    thread_.stop([this] { inside_.reset(); });
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  void create_replica(store::TablePtr table, RegionId region, Done done) override {
    post(std::move(done), [this, table, region](AnswerPtr answer) {
      inside_->control.create_replica(table, region, std::move(answer));
    });
  }
  void delete_replica(store::TablePtr table, RegionId region, Done done) override {
    post(std::move(done), [this, table, region](AnswerPtr answer) {
      inside_->control.delete_replica(table, region, std::move(answer));
    });
  }
  void announce(TableId table) override {
    if (!open_) return;
    static_cast<void>(thread_.mailbox()->try_post([this, table] {
      if (inside_) inside_->membership.announce(table);
    }));
  }
  void expel_replica(store::TablePtr table, RegionId region, Done done) override {
    post(std::move(done), [this, table, region](AnswerPtr answer) {
      inside_->control.expel_replica(table, region, std::move(answer));
    });
  }
  void drop_table(store::TablePtr table, Done done) override {
    post(std::move(done), [this, table](AnswerPtr answer) {
      inside_->control.drop_table(table, std::move(answer));
    });
  }

  [[nodiscard]] std::map<RegionId, api::ReplicaProgress> progress(
      const TableId& table) const override {
    return board_.of(table);
  }

  void add_peers(std::vector<std::pair<RegionId, std::string>> peers) {
    static_cast<void>(thread_.mailbox()->try_post([this, peers = std::move(peers)] {
      if (inside_) inside_->membership.add_peers(peers);
    }));
  }

  void collect(MetricsPage& page);
  bool on_faults(std::function<void(rpc::LinkFaults&)> task);
  std::optional<std::vector<RepairStatus>> repairs();
  std::optional<std::vector<CollectionStatus>> collections();
  bool ask_repair(const TableId& table, const RegionId& peer) {
    return open_ && thread_.mailbox()->try_post([this, table, peer] {
      if (inside_) inside_->repairer.ask_repair(table, peer);
    });
  }

 private:
  // Asks what lives on the KJ thread; empty when it does not answer in time.
  template <typename Value, typename Read>
  std::optional<Value> ask_inside(Read read);
  void collect_tls(MetricsPage& page) const;
  void set_up() {
    inside_ = std::make_unique<Inside>(store_, clock_, thread_, counters_, tls_counters_, rng_,
                                       log_, options_, board_);
    if (inside_->tls) inside_->tls->watch();
    auto address = thread_.wait(thread_.network().parseAddress(options_.address));
    auto listener = address->listen();
    port_ = static_cast<std::uint16_t>(listener->getPort());
    store_.on_commit(inside_->server.waker());
    inside_->server.serve(kj::mv(listener), inside_->tls.get());
    inside_->membership.start();
    inside_->repairer.start();
    inside_->collector.start();
    inside_->copier.start();
  }

  void collect_copies(MetricsPage& page) const;

  // An Answer that nobody takes (not started, stopped, too many) says "unavailable" by itself.
  template <typename Run>
  void post(Done done, Run run) {
    auto answer = std::make_shared<Answer>(std::move(done));
    if (!open_) return;
    static_cast<void>(thread_.mailbox()->try_post([this, answer, run]() mutable {
      if (inside_) run(std::move(answer));
    }));
  }

  store::Store& store_;
  const Clock& clock_;
  Rng rng_;
  const Logger log_;
  const PeerOptions options_;
  ServerCounters counters_;
  rpc::TlsCounters tls_counters_;
  CopyBoard board_;
  rpc::KjThread thread_;
  std::unique_ptr<Inside> inside_;  // lives on the KJ thread
  std::uint16_t port_ = 0;
  bool started_ = false;
  std::atomic<bool> open_{false};
};

void Peer::Impl::collect_tls(MetricsPage& page) const {
  page.gauge("meridian_tls_certificate_expiry_timestamp_seconds",
             "When the certificate in use expires.",
             static_cast<double>(tls_counters_.expires_us.load()) / 1e6);
  page.counter("meridian_tls_loads_total", "Times that the certificate's files were taken.",
               static_cast<double>(tls_counters_.loads.load()));
  page.counter("meridian_tls_loads_failed_total", "Times that they could not be used.",
               static_cast<double>(tls_counters_.loads_failed.load()));
}

void Peer::Impl::collect_copies(MetricsPage& page) const {
  for (const auto& [id, table] : store_.catalog()->by_id) {
    if (!table->is_copying(store_.region())) continue;
    auto known = board_.of(id);
    auto at = known.find(store_.region());
    if (at == known.end()) continue;
    const auto& copy = at->second;
    const MetricLabels labels{{"table", table->name}};
    auto gauge = [&](const char* name, const char* help, double value) {
      page.gauge(name, help, value, labels);
    };
    gauge("meridian_replica_copy_progress_ratio", "How much of a new replica is filled, 0 to 1.",
          copy.percent / 100.0);
    gauge("meridian_replica_copy_rows", "Rows copied into a new replica.",
          static_cast<double>(copy.rows));
    gauge("meridian_replica_copy_rows_estimated", "Rows that a new replica will have, about.",
          static_cast<double>(copy.rows_estimated));
    gauge("meridian_replica_copy_bytes", "Bytes of keys and images copied into a new replica.",
          static_cast<double>(copy.bytes));
    gauge("meridian_replica_copy_rows_per_second", "Rate of the copy since it was taken up.",
          copy.rows_per_s);
  }
}

void Peer::Impl::collect(MetricsPage& page) {
  if (!open_) return;
  const auto& counters = counters_;
  auto counter = [&page](const char* name, const char* help,
                         const std::atomic<std::uint64_t>& value) {
    page.counter(name, help, static_cast<double>(value.load()));
  };
  page.gauge("meridian_peer_connections", "Connections of replicators and peer nodes now.",
             static_cast<double>(counters.connections.load()));
  counter("meridian_peer_connections_accepted_total", "Connections accepted.", counters.accepted);
  counter("meridian_peer_hellos_refused_total", "Hellos refused (protocol, identity, role).",
          counters.hellos_refused);
  counter("meridian_peer_tls_handshakes_failed_total",
          "Connections refused for want of a certificate that is trusted here.",
          counters.handshakes_failed);
  if (options_.tls.on()) collect_tls(page);
  counter("meridian_peer_strangers_dropped_total", "Connections dropped for want of a hello.",
          counters.strangers_dropped);
  counter("meridian_peer_log_pages_total", "Pages of the change log served.",
          counters.pages_served);
  counter("meridian_peer_log_records_total", "Change records served.", counters.records_served);
  counter("meridian_peer_rows_served_total",
          "Rows read by other regions' nodes, for backfill and repair.", counters.rows_served);
  counter("meridian_peer_batches_received_total", "Batches received from other regions.",
          counters.batches_received);
  counter("meridian_peer_records_received_total", "Change records received from other regions.",
          counters.records_received);
  counter("meridian_peer_batches_not_applied_total", "Batches answered with anything but applied.",
          counters.batches_refused);

  collect_copies(page);

  struct Seen {
    std::vector<Membership::LinkState> links;
    std::vector<RepairStatus> repairs;
    std::vector<CollectionStatus> collections;
  };
  auto seen = std::make_shared<std::promise<Seen>>();
  auto answer = seen->get_future();
  bool asked = thread_.mailbox()->try_post([this, seen] {
    seen->set_value(inside_ ? Seen{inside_->membership.links(), inside_->repairer.status(),
                                   inside_->collector.status()}
                            : Seen{});
  });
  if (!asked || answer.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return;
  Seen now = answer.get();
  for (const auto& repair : now.repairs) collect_repair(repair, page);
  for (const auto& collection : now.collections) collect_collection(collection, page);
  for (const auto& link : now.links) {
    page.gauge("meridian_peer_node_connected",
               "1 while this node is connected to the other region's node.",
               link.figures.connected ? 1 : 0, {{"peer", std::string(link.region.name())}});
    for (auto trouble : rpc::kLinkTroubles)
      page.gauge("meridian_peer_node_down", "1 while it is not, by the kind of trouble.",
                 link.figures.trouble == trouble ? 1 : 0,
                 {{"peer", std::string(link.region.name())},
                  {"trouble", std::string(rpc::link_trouble_name(trouble))}});
  }
}

bool Peer::Impl::on_faults(std::function<void(rpc::LinkFaults&)> task) {
  if (!open_) return false;
  auto done = std::make_shared<std::promise<bool>>();
  auto answer = done->get_future();
  bool asked = thread_.mailbox()->try_post([this, done, task = std::move(task)] {
    if (inside_) task(inside_->faults);
    done->set_value(inside_ != nullptr);
  });
  return asked && answer.wait_for(std::chrono::seconds(1)) == std::future_status::ready &&
         answer.get();
}

template <typename Value, typename Read>
std::optional<Value> Peer::Impl::ask_inside(Read read) {
  if (!open_) return std::nullopt;
  auto found = std::make_shared<std::promise<Value>>();
  auto answer = found->get_future();
  bool asked = thread_.mailbox()->try_post(
      [this, found, read] { found->set_value(inside_ ? read(*inside_) : Value{}); });
  if (!asked || answer.wait_for(std::chrono::seconds(1)) != std::future_status::ready)
    return std::nullopt;
  return answer.get();
}

std::optional<std::vector<RepairStatus>> Peer::Impl::repairs() {
  return ask_inside<std::vector<RepairStatus>>(
      [](Inside& inside) { return inside.repairer.status(); });
}

std::optional<std::vector<CollectionStatus>> Peer::Impl::collections() {
  return ask_inside<std::vector<CollectionStatus>>(
      [](Inside& inside) { return inside.collector.status(); });
}

Peer::Peer(store::Store& store, const Clock& clock, Rng rng, Logger log, PeerOptions options)
    : impl_(std::make_unique<Impl>(store, clock, rng, std::move(log), std::move(options))) {}
Peer::~Peer() = default;

void Peer::start() { impl_->start(); }
void Peer::stop() { impl_->stop(); }
std::uint16_t Peer::port() const { return impl_->port(); }
api::ReplicaControl& Peer::control() { return *impl_; }
void Peer::add_peers(std::vector<std::pair<RegionId, std::string>> peers) {
  impl_->add_peers(std::move(peers));
}
void Peer::collect(MetricsPage& page) const { impl_->collect(page); }
std::optional<std::vector<RepairStatus>> Peer::repairs() const { return impl_->repairs(); }
std::optional<std::vector<CollectionStatus>> Peer::collections() const {
  return impl_->collections();
}
bool Peer::ask_repair(TableId table, RegionId peer) { return impl_->ask_repair(table, peer); }
bool Peer::on_faults(std::function<void(rpc::LinkFaults&)> task) {
  return impl_->on_faults(std::move(task));
}

}  // namespace meridian::peer
