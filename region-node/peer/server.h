// Server: the peer RPC endpoint of a region node: serves the log to the region's own replicators,
// applies batches from other regions' replicators, and answers other nodes' control calls.
//
// One accept loop for life, one Connection per peer.  Reads use the server's own Reader on the KJ
// thread, bounded pages only; everything that writes goes to the store's writer, whose answers come
// back through the mailbox.
// Threads: the KJ thread; wake() from any.
// Owns: connections, reader.  Borrows: store, clock, timer, counters.
// Errors: a call that breaks the protocol fails (the connection stays); see rpc/region.capnp.
// Limits: ServerLimits.  A batch waits, unanswered, while `applies_max` are with the store: the
// sender's window is the back-pressure.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <kj/async-io.h>
#include <kj/timer.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/log.h"
#include "region-node/peer/controlled.h"
#include "region-node/peer/log_waits.h"
#include "region-node/store/store.h"
#include "rpc/completions.h"
#include "rpc/messages.h"
#include "rpc/region.capnp.h"
#include "rpc/repair.h"

namespace meridian::rpc {
class Tls;
}

namespace meridian::peer {

struct ServerLimits {
  std::size_t connections_max = 256;
  std::size_t words_in_flight_max = 4 * 1024 * 1024;  // of unanswered calls, per connection
  std::size_t applies_max = 32;                       // batches at the store at once
  // Of batches that wait for their turn, over all connections; past it they are answered
  // "unavailable".  A connection that dies leaves its batches behind, so its own bound is not enough.
  std::size_t waiting_bytes_max = 256 * 1024 * 1024;
  std::int64_t wait_ms_max = 10'000;  // longest long poll
  // A connection that has not been welcomed by then is dropped: it takes the place of one that talks.
  std::int64_t hello_ms_max = 10'000;
  std::uint32_t protocol_max = rpc::kProtocolVersion;
};

// Plain counters, read by /metrics from another thread.
struct ServerCounters {
  std::atomic<std::uint64_t> connections{0};  // now
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> hellos_refused{0};
  std::atomic<std::uint64_t> strangers_dropped{0};  // no hello in time
  std::atomic<std::uint64_t> handshakes_failed{0};
  std::atomic<std::uint64_t> pages_served{0};
  std::atomic<std::uint64_t> records_served{0};
  std::atomic<std::uint64_t> rows_served{0};  // to backfill and repair
  std::atomic<std::uint64_t> batches_received{0};
  std::atomic<std::uint64_t> records_received{0};
  std::atomic<std::uint64_t> batches_refused{0};  // any answer but "applied"
};

class Connection;

class Server final : private kj::TaskSet::ErrorHandler {
 public:
  // Answers a dropReplica: the control plane knows whether this copy may go.
  using DropHandler = std::function<kj::Promise<rpc::Refusal>(TableId)>;
  // Answers another region that compares a table with ours.
  using RepairHandler =
      std::function<kj::Promise<rpc::RepairAnswer>(RegionId, rpc::RepairRequest)>;
  // Told how far another region's new replica is.
  using ReportHandler =
      std::function<void(TableId, RegionId, std::uint32_t percent, std::string text)>;
  // Whether nothing may be shipped to the region at present.
  using PausedHandler = std::function<bool(const RegionId&)>;

  Server(store::Store& store, const Clock& clock, kj::Timer& timer,
         std::shared_ptr<rpc::KjMailbox> mailbox, ServerCounters& counters, Logger log,
         ServerLimits limits = {});
  ~Server();

  void on_drop(DropHandler handler) { drop_ = std::move(handler); }
  void on_repair(RepairHandler handler) { repair_ = std::move(handler); }
  void on_report(ReportHandler handler) { report_ = std::move(handler); }
  void on_paused(PausedHandler handler) { paused_ = std::move(handler); }
  // Accepts from `listener` until destroyed, over TLS unless `tls` is null.
  void serve(kj::Own<kj::ConnectionReceiver> listener, rpc::Tls* tls = nullptr);
  // Serves one stream; for tests over a pipe as well.  `identity`: what the other side's certificate
  // says, if it had to show one.
  void add(kj::Own<kj::AsyncIoStream> stream,
           kj::Maybe<kj::Own<kj::PeerIdentity>> identity = nullptr);
  // For the store's on_commit: cheap, from any thread, folds many commits into one look.
  [[nodiscard]] std::function<void()> waker();

 private:
  friend class Connection;
  struct Link;
  struct Waiting {
    rpc::ReplicationBatch batch;
    NodeId node;
    std::size_t bytes = 0;
    kj::Own<kj::PromiseFulfiller<rpc::ApplyOutcome>> fulfiller;
  };

  kj::Promise<void> accept_loop(kj::ConnectionReceiver& listener, rpc::Tls* tls);
  kj::Promise<void> shake_hands(kj::Own<kj::AsyncIoStream> stream, rpc::Tls& tls);
  void handshake_failed(const kj::Exception& failure);
  bool too_many();
  kj::Promise<void> stranger(std::uint64_t link);
  void taskFailed(kj::Exception&& failure) override;
  void committed();
  // One look at each log.  What it goes over without finding anything to ship, `reads` skips next time.
  struct LogLook {
    std::vector<rpc::LogPage> pages;
    std::vector<LogWatch> watches;
    bool found = false;   // something to answer
    bool behind = false;  // there is more to look at
  };
  LogLook look(std::vector<rpc::LogRead>& reads);
  rpc::LogPage read_one(const rpc::LogRead& read);

  // For Connection.
  void welcomed(std::uint64_t link, const rpc::Hello& hello);
  // Whether the certificate of the connection, if it had to show one, names the region.
  [[nodiscard]] bool may_speak_for(std::uint64_t link, const RegionId& region);
  // Logs a refusal unless the same was the last that the region was told in this role.
  void log_refusal(const rpc::Hello& hello, const std::string& reason);
  // Waits for the first record after any of the positions, until the deadline.
  kj::Promise<std::vector<rpc::LogPage>> read_logs(std::vector<rpc::LogRead> reads,
                                                   kj::TimePoint deadline);
  kj::Promise<rpc::ReplicatedTables> tables(std::uint64_t generation, kj::TimePoint deadline);
  kj::Promise<rpc::ApplyOutcome> apply(rpc::ReplicationBatch batch, NodeId node);
  void submit(Waiting waiting);
  void submit_next();

  store::Store& store_;
  const Clock& clock_;
  kj::Timer& timer_;
  const std::shared_ptr<rpc::KjMailbox> mailbox_;
  const Logger log_;
  const ServerLimits limits_;
  const std::unique_ptr<store::Reader> reader_;
  DropHandler drop_;
  RepairHandler repair_;
  ReportHandler report_;
  PausedHandler paused_;
  ServerCounters& counters_;

  LogWaits log_waits_;
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> catalog_waits_;
  std::uint64_t seen_generation_ = 0;
  rpc::Completions<rpc::ApplyOutcome> outcomes_;
  rpc::Completions<std::optional<bool>> pins_;
  rpc::Completions<std::optional<rpc::Barrier>> barriers_;
  rpc::Completions<std::optional<store::Reached>> advances_;
  rpc::Completions<Controlled> controls_;
  std::set<std::pair<RegionId, NodeId>> impostors_;  // already complained about
  std::map<std::pair<RegionId, rpc::Role>, std::string> refusals_;  // last reason of each
  std::map<std::string, kj::TimePoint> failed_handshakes_;          // when logged, by reason
  std::size_t handshaking_ = 0;
  std::size_t applying_ = 0;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;

  struct Wake;  // shared with the store's listener
  const std::shared_ptr<Wake> wake_;
  std::uint64_t next_link_ = 1;
  bool full_ = false;  // and said so
  bool failing_ = false;  // the last accept failed
  std::map<std::uint64_t, kj::Own<Link>> links_;
  kj::TaskSet tasks_;  // last: cancelled first
};

}  // namespace meridian::peer
