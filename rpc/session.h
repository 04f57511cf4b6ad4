// Session: an outgoing connection to a region node that is kept up for ever.
//
// It dials, says hello, pings as a heartbeat, and when anything fails it waits (with jitter) and
// starts again.  Cap'n Proto has neither call timeouts nor keepalive, so a silent partition would
// otherwise hang for many minutes: every call through call() has a deadline, and a connection on which
// neither a ping nor anything else is answered in time is ended.  (A ping may queue behind batches on a
// slow link; then their answers show that it lives.)
//
// Threads: confined to the KJ thread of its timer.
// Owns: the connection.  Borrows: timer, dialer, clock, rng; all must outlive it.
// Errors: call() rejects with DISCONNECTED when there is no connection or it breaks, OVERLOADED when
// the deadline passes, FAILED when the other side refuses.
// Limits: SessionOptions.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <kj/timer.h>

#include <functional>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/log.h"
#include "common/rng.h"
#include "rpc/backoff.h"
#include "rpc/clock_offset.h"
#include "rpc/link_trouble.h"
#include "rpc/messages.h"
#include "rpc/region.capnp.h"
#include "rpc/socket.h"

namespace meridian::rpc {

struct SessionOptions {
  Hello hello;                       // who we are
  std::optional<RegionId> expected;  // whom we mean to reach; anybody else is refused
  std::string address;               // for logs
  std::int64_t dial_ms_max = 3000;
  std::int64_t call_ms_max = 5000;
  std::int64_t ping_interval_ms = 1000;
  std::int64_t ping_ms_max = 3000;
  std::int64_t backoff_ms_min = 50;
  std::int64_t backoff_ms_max = 3000;
};

struct LinkFigures {
  bool connected = false;
  std::uint64_t connects = 0;  // since start
  std::optional<std::int64_t> round_trip_us;
  std::optional<std::int64_t> clock_offset_us;  // their wall clock minus ours
  std::uint32_t protocol = 0;                   // spoken; 0 while not connected
  std::string reason;                           // why not connected
  LinkTrouble trouble = LinkTrouble::none;      // of which kind that is
};

class Session {
 public:
  Session(kj::Timer& timer, Dialer& dialer, const Clock& clock, Rng& rng, Logger log,
          SessionOptions options);
  ~Session();
  KJ_DISALLOW_COPY(Session);

  // Dials for the first time.  `on_change` runs on every connect (true) and disconnect (false); it
  // must not destroy the session.
  void start(std::function<void(bool connected)> on_change);

  [[nodiscard]] bool connected() const { return connected_; }
  // What the other side said of itself at the last hello, and the protocol that is spoken.
  [[nodiscard]] const std::optional<HelloAnswer>& peer() const { return peer_; }
  [[nodiscard]] LinkFigures figures() const;

  // Runs `make(client)`, which sends a call and answers its promise, under a deadline.
  // `extra_ms`: how long the callee may wait on purpose (long polls).
  template <typename Make>
  auto call(Make&& make, std::int64_t extra_ms = 0)
      -> decltype(make(std::declval<wire::Region::Client&>())) {
    if (!connected_) return disconnected_error();
    return timer_.timeoutAfter((options_.call_ms_max + extra_ms) * kj::MILLISECONDS,
                               heard_when_answered(make(connection_->client)));
  }

  // The node id to say at the next hello.
  void set_node(NodeId node) { options_.hello.node = node; }

 private:
  struct Connection {
    explicit Connection(kj::Own<kj::AsyncIoStream> stream);
    kj::Own<kj::AsyncIoStream> stream;
    capnp::TwoPartyVatNetwork network;
    capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;
    wire::Region::Client client;
  };

  [[nodiscard]] kj::Exception disconnected_error() const;
  template <typename T>
  kj::Promise<T> heard_when_answered(kj::Promise<T> answer) {
    return answer.then([this, connect = connects_](T&& value) {
      if (connect == connects_) heard_us_ = clock_.monotonic_us();
      return kj::mv(value);
    });
  }
  kj::Promise<void> keep_up();
  kj::Promise<void> connect_once();
  kj::Promise<void> say_hello();
  kj::Promise<void> heartbeat();
  kj::Promise<void> await_ping(kj::Promise<void> answered);
  void accept_hello(wire::Region::HelloResults::Reader answer);
  void lost(const kj::Exception& failure);

  kj::Timer& timer_;
  Dialer& dialer_;
  const Clock& clock_;
  Rng& rng_;
  const Logger log_;
  SessionOptions options_;
  std::function<void(bool)> on_change_;

  bool connected_ = false;
  bool loss_reported_ = false;
  std::optional<HelloAnswer> peer_;
  ClockOffset clock_offset_;
  Backoff backoff_;
  std::uint64_t connects_ = 0;
  std::int64_t heard_us_ = 0;  // monotonic; of the last answer on this connection
  std::string reason_ = "not dialled yet";
  LinkTrouble trouble_ = LinkTrouble::unreachable;
  kj::Own<Connection> connection_;
  kj::Promise<void> running_ = nullptr;  // last member: cancelled first
};

}  // namespace meridian::rpc
