#include "replicator/supervisor.h"

#include <fmt/format.h>

#include <chrono>
#include <future>

#include "replicator/flows.h"
#include "replicator/io/topology.h"
#include "rpc/codec.h"
#include "rpc/faults/peer_dialer.h"
#include "rpc/kj_log.h"
#include "rpc/kj_thread.h"

namespace meridian::replicator {
namespace {

constexpr std::int64_t kBacklogIntervalMs = 1000;
constexpr std::int64_t kLastFlushMsMax = 1000;

rpc::SessionOptions source_options(const ReplicatorOptions& options) {
  rpc::SessionOptions out;
  // The own node does not pin its own worker: it learns nothing from a node id.
  out.hello = {options.protocol_max, options.region, NodeId(), rpc::Role::replicator};
  out.expected = options.region;
  out.address = options.node_address;
  out.backoff_ms_max = 1000;
  return out;
}

// Everything that lives on the KJ thread, in the order of its dependencies.
class Inside final : private kj::TaskSet::ErrorHandler {
 public:
  Inside(const ReplicatorOptions& options, rpc::KjThread& thread, CheckpointWriter& checkpoints,
         LeaseKeeper* leases, const std::vector<checkpoint::Checkpoint>& loaded,
         const Clock& clock, rpc::TlsCounters& tls_counters, Rng& rng, Logger log)
      : region_(options.region),
        timer_(thread.timer()),
        log_(std::move(log)),
        tls_(options.tls.on() ? std::make_unique<rpc::Tls>(options.tls, options.region, timer_,
                                                           clock, tls_counters, log_)
                              : nullptr),
        dialer_(rpc::peer_dialer({thread.network(), nullptr, tls_.get()}, options.region,
                                 options.node_address)),
        source_(thread.timer(), *dialer_, clock, rng, log_, source_options(options)),
        acknowledger_(source_, thread.timer(), log_),
        faults_(thread.timer(), rng, options.region, log_),
        flows_({options.region, options.limits, options.collapse_tables, source_, acknowledger_,
                checkpoints, thread.network(), thread.timer(), clock, rng, log_, faults_,
                tls_.get(), options.protocol_max, leases},
               options.peers, loaded),
        topology_(source_, thread.timer(), log_,
                  [this](const rpc::ReplicatedTables& tables) { flows_.follow(tables); }),
        tasks_(*this) {}

  void start() {
    if (tls_) tls_->watch();
    source_.start([this](bool connected) {
      topology_.forget();
      if (!connected) return;
      flows_.source_up(*source_.peer());
      acknowledger_.repeat_all();
    });
    topology_.start();
    tasks_.add(poll_backlogs());
  }

  // What is acknowledged goes to the checkpoints and, if it answers soon, to the own node.
  kj::Promise<void> stop() {
    flows_.stop();
    return timer_.timeoutAfter(kLastFlushMsMax * kj::MILLISECONDS, acknowledger_.flush())
        .catch_([](kj::Exception&&) {});
  }

  void on_leases(const checkpoint::LeaseWorker::Outcome& outcome) { flows_.on_leases(outcome); }

  ReplicatorStatus status(std::int64_t window_ms) {
    ReplicatorStatus out;
    out.region = region_;
    out.window_ms = window_ms;
    auto own = source_.figures();
    out.ready = own.connected;
    if (!own.connected) out.reason = "own region node: " + own.reason;
    PeerStatus peer;
    peer.region = region_;
    peer.own = true;
    peer.connected = own.connected;
    peer.connects = own.connects;
    peer.round_trip_us = own.round_trip_us;
    peer.clock_offset_us = own.clock_offset_us;
    peer.reason = own.reason;
    peer.protocol = own.protocol;
    peer.trouble = own.trouble;
    out.peers.push_back(std::move(peer));
    flows_.describe(out);
    return out;
  }

  rpc::LinkFaults& faults() { return faults_; }
  void add_peers(const Addresses& peers) { flows_.add_peers(peers); }

 private:
  kj::Promise<void> poll_backlogs() {
    return timer_.afterDelay(kBacklogIntervalMs * kj::MILLISECONDS)
        .then([this] { return ask_backlogs(); })
        .then([this] { flows_.sample(); })
        .then([this] { return poll_backlogs(); });
  }

  kj::Promise<void> ask_backlogs() {
    using Answer = capnp::Response<rpc::wire::Region::BacklogResults>;
    auto queries = flows_.stale();
    if (queries.empty() || !source_.connected()) return kj::READY_NOW;
    return source_
        .call([&queries](rpc::wire::Region::Client& client) {
          auto request = client.backlogRequest();
          rpc::write_queries(queries, request);
          return kj::Promise<Answer>(request.send());
        })
        .then([this, queries](Answer&& answer) {
          flows_.on_backlogs(queries, rpc::read_backlogs(answer.getBacklogs()));
        })
        .catch_([this](kj::Exception&& failure) {
          log_.debug("backlog_unknown", "reason=\"{}\"", rpc::describe(failure));
        });
  }

  void taskFailed(kj::Exception&& failure) override {
    log_.error("replicator_task_failed", "reason=\"{}\"", rpc::describe(failure));
  }

  const RegionId region_;
  kj::Timer& timer_;
  const Logger log_;
  const std::unique_ptr<rpc::Tls> tls_;  // null: plain text
  kj::Own<rpc::Dialer> dialer_;
  rpc::Session source_;
  Acknowledger acknowledger_;
  rpc::LinkFaults faults_;
  Flows flows_;
  Topology topology_;
  kj::TaskSet tasks_;  // last: cancelled first
};

}  // namespace

class Replicator::Impl {
 public:
  Impl(ReplicatorOptions options, checkpoint::CheckpointStore& checkpoints, const Clock& clock,
       Rng rng, Logger log)
      : options_(std::move(options)),
        store_(checkpoints),
        clock_(clock),
        rng_(rng),
        log_(std::move(log)),
        checkpoints_(store_, clock_, log_),
        thread_(log_) {
    if (options_.leases == nullptr) return;
    checkpoint::WorkerId worker{options_.worker, fmt::format("{:016x}", rng_.next())};
    leases_ = std::make_unique<LeaseKeeper>(*options_.leases, worker, options_.lease_timing, clock_,
                                            Rng(rng_.next()), log_);
  }
  ~Impl() { stop(); }

  void start() {
    auto loaded = store_.load_all();
    log_.info("replicator_starting", "region={} node={} checkpoints={}", options_.region.name(),
              options_.node_address, loaded.size());
    checkpoints_.start();
    thread_.start();
    started_ = true;
    thread_.run([this, &loaded] {
      inside_ = std::make_unique<Inside>(options_, thread_, checkpoints_, leases_.get(), loaded,
                                         clock_, tls_counters_, rng_, log_);
      inside_->start();
    });
    if (!leases_) return;
    leases_->start([this](checkpoint::LeaseWorker::Outcome outcome) {
      // (Closed only when the flows are gone.)
      thread_.mailbox()->post([this, outcome = std::move(outcome)] {
        if (inside_) inside_->on_leases(outcome);
      });
    });
  }

  void stop() {
    if (!started_) return;
    started_ = false;
    thread_.run([this] {
      if (inside_) thread_.wait(inside_->stop());
      inside_.reset();
    });
    thread_.stop();
    checkpoints_.stop();
    // Last: what the flows have reached is saved under the leases.
    if (leases_) leases_->stop();
    log_.info("replicator_stopped", "region={}", options_.region.name());
  }

  ReplicatorStatus status(std::int64_t window_ms) {
    auto told = std::make_shared<std::promise<ReplicatorStatus>>();
    auto answer = told->get_future();
    ReplicatorStatus silent;
    silent.region = options_.region;
    silent.reason = "the replicator is not running";
    bool asked = thread_.mailbox()->try_post([this, told, silent, window_ms] {
      told->set_value(inside_ ? inside_->status(window_ms) : silent);
    });
    if (!asked) return silent;
    silent.reason = "the replicator is too busy to answer";
    if (answer.wait_for(std::chrono::milliseconds(kStatusMsMax)) != std::future_status::ready)
      return silent;
    auto status = answer.get();
    status.checkpoint_saves_failed = checkpoints_.failures();
    if (options_.tls.on())
      status.tls = TlsStatus{tls_counters_.expires_us, tls_counters_.loads,
                             tls_counters_.loads_failed};
    return status;
  }

  void add_peers(Addresses peers) {
    static_cast<void>(thread_.mailbox()->try_post([this, peers = std::move(peers)] {
      if (inside_) inside_->add_peers(peers);
    }));
  }

  bool on_faults(std::function<void(rpc::LinkFaults&)> task) {
    auto done = std::make_shared<std::promise<bool>>();
    auto answer = done->get_future();
    bool asked = thread_.mailbox()->try_post([this, done, task = std::move(task)] {
      if (inside_) task(inside_->faults());
      done->set_value(inside_ != nullptr);
    });
    return asked &&
           answer.wait_for(std::chrono::milliseconds(kStatusMsMax)) == std::future_status::ready &&
           answer.get();
  }

 private:
  const ReplicatorOptions options_;
  checkpoint::CheckpointStore& store_;
  const Clock& clock_;
  Rng rng_;
  const Logger log_;
  CheckpointWriter checkpoints_;
  rpc::TlsCounters tls_counters_;
  std::unique_ptr<LeaseKeeper> leases_;  // null: this replicator ships everything
  rpc::KjThread thread_;
  std::unique_ptr<Inside> inside_;  // lives on the KJ thread
  bool started_ = false;
};

Replicator::Replicator(ReplicatorOptions options, checkpoint::CheckpointStore& checkpoints,
                       const Clock& clock, Rng rng, Logger log)
    : impl_(std::make_unique<Impl>(std::move(options), checkpoints, clock, rng, std::move(log))) {}
Replicator::~Replicator() = default;

void Replicator::start() { impl_->start(); }
void Replicator::stop() { impl_->stop(); }
ReplicatorStatus Replicator::status(std::int64_t window_ms) const {
  return impl_->status(window_ms);
}
void Replicator::add_peers(std::vector<std::pair<RegionId, std::string>> peers) {
  impl_->add_peers(std::move(peers));
}
bool Replicator::on_faults(std::function<void(rpc::LinkFaults&)> task) {
  return impl_->on_faults(std::move(task));
}

}  // namespace meridian::replicator
