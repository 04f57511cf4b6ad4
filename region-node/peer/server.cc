#include "region-node/peer/server.h"

#include <algorithm>
#include <utility>

#include "region-node/peer/connection.h"
#include "region-node/peer/convert.h"
#include "rpc/codec.h"
#include "rpc/kj_log.h"
#include "rpc/tls.h"
#include "rpc/socket.h"

namespace meridian::peer {
namespace {

std::size_t size_of(const rpc::ReplicationBatch& batch) {
  std::size_t bytes = sizeof batch;
  for (const auto& record : batch.records) bytes += sizeof record + rpc::payload_bytes(record);
  return bytes;
}

}  // namespace

struct Server::Link {
  Link(peer::Server& server, std::uint64_t number, kj::Own<kj::AsyncIoStream> stream_in,
       capnp::ReaderOptions options)
      : stream(kj::mv(stream_in)),
        network(*stream, capnp::rpc::twoparty::Side::SERVER, options),
        rpc(capnp::makeRpcServer(network, kj::heap<Connection>(server, number))) {}

  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;
  kj::Maybe<kj::Own<kj::PeerIdentity>> identity;
  bool welcomed = false;
};

struct Server::Wake {
  std::atomic<bool> posted{false};
  peer::Server* server = nullptr;  // KJ thread; null once the server is gone
};

Server::Server(store::Store& store, const Clock& clock, kj::Timer& timer,
               std::shared_ptr<rpc::KjMailbox> mailbox, ServerCounters& counters, Logger log,
               ServerLimits limits)
    : store_(store),
      clock_(clock),
      timer_(timer),
      mailbox_(std::move(mailbox)),
      log_(std::move(log)),
      limits_(limits),
      reader_(store.open_reader()),
      counters_(counters),
      outcomes_(mailbox_),
      pins_(mailbox_),
      barriers_(mailbox_),
      advances_(mailbox_),
      controls_(mailbox_),
      wake_(std::make_shared<Wake>()),
      tasks_(*this) {
  wake_->server = this;
}

Server::~Server() { wake_->server = nullptr; }

void Server::serve(kj::Own<kj::ConnectionReceiver> listener, rpc::Tls* tls) {
  auto& borrowed = *listener;
  tasks_.add(accept_loop(borrowed, tls).attach(kj::mv(listener)));
}

kj::Promise<void> Server::accept_loop(kj::ConnectionReceiver& listener, rpc::Tls* tls) {
  // (accept() may throw at once instead of answering a promise that fails.)
  return kj::evalNow([&listener] { return listener.accept(); })
      .then(
          [this, tls](kj::Own<kj::AsyncIoStream> stream) -> kj::Promise<void> {
            failing_ = false;
            rpc::tune_socket(*stream);
            if (tls == nullptr) {
              add(kj::mv(stream));
            } else if (!too_many()) {
              // Beside the loop: one that dawdles must not keep the others waiting.
              tasks_.add(shake_hands(kj::mv(stream), *tls));
            }
            return kj::READY_NOW;
          },
          [this](kj::Exception&& failure) -> kj::Promise<void> {
            // Out of file descriptors, say: what is there goes on, and new peers come again.
            if (!std::exchange(failing_, true))
              log_.warn("accept_failed", "reason=\"{}\"", rpc::describe(failure));
            return timer_.afterDelay(100 * kj::MILLISECONDS);
          })
      .then([this, &listener, tls] { return accept_loop(listener, tls); });
}

kj::Promise<void> Server::shake_hands(kj::Own<kj::AsyncIoStream> stream, rpc::Tls& tls) {
  ++handshaking_;
  return timer_
      .timeoutAfter(limits_.hello_ms_max * kj::MILLISECONDS, tls.accepted(kj::mv(stream)))
      .then(
          [this](kj::AuthenticatedStream secured) {
            --handshaking_;
            add(kj::mv(secured.stream), kj::mv(secured.peerIdentity));
          },
          [this](kj::Exception&& failure) {
            --handshaking_;
            handshake_failed(failure);
          });
}

void Server::handshake_failed(const kj::Exception& failure) {
  ++counters_.handshakes_failed;
  auto text = rpc::describe(failure);
  auto reason = rpc::explain_tls(text).value_or(text);
  // Whoever is refused tries again every few seconds, but says nothing new.
  constexpr std::size_t kReasonsMax = 100;
  constexpr auto kRepeat = 10 * kj::MINUTES;
  auto& logged = failed_handshakes_;
  auto at = logged.find(reason);
  if (at == logged.end() ? logged.size() >= kReasonsMax : timer_.now() - at->second < kRepeat)
    return;
  logged.insert_or_assign(reason, timer_.now());
  log_.error("tls_handshake_failed", "reason=\"{}\"", reason);
}

// Over the limit, and said so once.
bool Server::too_many() {
  if (links_.size() + handshaking_ < limits_.connections_max) {
    full_ = false;
    return false;
  }
  if (!std::exchange(full_, true))
    log_.warn("connection_refused", "reason=\"too many\" limit={}", limits_.connections_max);
  return true;
}

void Server::add(kj::Own<kj::AsyncIoStream> stream,
                 kj::Maybe<kj::Own<kj::PeerIdentity>> identity) {
  if (too_many()) return;
  capnp::ReaderOptions options;
  options.traversalLimitInWords = rpc::kMessageWordsMax;
  auto number = next_link_++;
  auto link = kj::heap<Link>(*this, number, kj::mv(stream), options);
  link->rpc.setFlowLimit(limits_.words_in_flight_max);
  link->identity = kj::mv(identity);
  ++counters_.accepted;
  tasks_.add(link->network.onDisconnect().exclusiveJoin(stranger(number)).then([this, number] {
    links_.erase(number);
    counters_.connections = links_.size();
  }));
  links_.emplace(number, kj::mv(link));
  counters_.connections = links_.size();
}

// Done when it is time to drop a connection that has not been welcomed; never if it has.
kj::Promise<void> Server::stranger(std::uint64_t link) {
  return timer_.afterDelay(limits_.hello_ms_max * kj::MILLISECONDS)
      .then([this, link]() -> kj::Promise<void> {
        auto at = links_.find(link);
        if (at == links_.end() || at->second->welcomed) return kj::NEVER_DONE;
        ++counters_.strangers_dropped;
        return kj::READY_NOW;
      });
}

void Server::welcomed(std::uint64_t link, const rpc::Hello& hello) {
  refusals_.erase({hello.region, hello.role});
  auto at = links_.find(link);
  if (at != links_.end()) at->second->welcomed = true;
}

bool Server::may_speak_for(std::uint64_t link, const RegionId& region) {
  auto at = links_.find(link);
  if (at == links_.end()) return false;
  KJ_IF_MAYBE (identity, at->second->identity) return rpc::Tls::names(**identity, region);
  return true;
}

void Server::log_refusal(const rpc::Hello& hello, const std::string& reason) {
  constexpr std::size_t kRefusalsMax = 1000;
  auto key = std::pair(hello.region, hello.role);
  auto at = refusals_.find(key);
  if (at == refusals_.end() ? refusals_.size() >= kRefusalsMax : at->second == reason) return;
  refusals_[key] = reason;
  log_.warn("hello_refused", "region={} reason=\"{}\"", hello.region.name(), reason);
}

void Server::taskFailed(kj::Exception&& failure) {
  log_.warn("peer_task_failed", "reason=\"{}\"", rpc::describe(failure));
}

std::function<void()> Server::waker() {
  return [wake = wake_, mailbox = mailbox_] {
    if (wake->posted.exchange(true)) return;
    mailbox->post([wake] {
      wake->posted = false;
      if (wake->server != nullptr) wake->server->committed();
    });
  };
}

void Server::committed() {
  auto generation = store_.catalog()->generation;
  if (generation != seen_generation_) {
    seen_generation_ = generation;
    log_waits_.wake_all();
    auto woken = std::exchange(catalog_waits_, {});
    for (auto& fulfiller : woken) fulfiller->fulfill();
  } else {
    log_waits_.wake_grown();
  }
}

rpc::LogPage Server::read_one(const rpc::LogRead& read) {
  auto table = store_.catalog()->find(read.table);
  if (table && table->repairs.count(read.sink) != 0) {
    // It stands where it does until it is repaired.
    rpc::LogPage page;
    page.status = rpc::ReadStatus::trimmed;
    page.to = read.after;
    return page;
  }
  store::LogLimits limits;
  limits.records_max = std::clamp<std::size_t>(read.records_max, 1, rpc::kBatchRecordsMax);
  limits.bytes_max = std::clamp<std::size_t>(read.bytes_max, 1, rpc::kBatchBytesMax);
  auto page = reader_->read_log(read.table, read.shard, read.after, limits);
  bool stuck = page.status == rpc::ReadStatus::ok && page.records.empty() &&
               page.to == read.after && page.to.sequence < page.end;
  if (stuck) {
    // A log that says there is more and shows nothing would keep this thread busy for ever.
    log_.error("log_not_readable", "table={} shard={} sequence={} end={}", read.table.hex(),
               read.shard.value, page.to.sequence.value, page.end.value);
    page.status = rpc::ReadStatus::unavailable;
  }
  return page;
}

Server::LogLook Server::look(std::vector<rpc::LogRead>& reads) {
  LogLook out;
  std::size_t bytes = 0;
  for (auto& read : reads) {
    auto ends = store_.log_ends(read.table);
    // Taken before the log is read, so that what is committed meanwhile counts as growth.
    auto end = ends ? ends->end(read.shard) : std::nullopt;
    auto& page = out.pages.emplace_back();
    page.to = read.after;
    page.end = read.after.sequence;
    if (end != read.after && bytes < rpc::kCallBytesMax) {
      page = read_one(read);
      for (const auto& record : page.records) bytes += rpc::payload_bytes(record);
      bool ok = page.status == rpc::ReadStatus::ok;
      out.found = out.found || !ok || !page.records.empty();
      out.behind = out.behind || (ok && page.to.sequence < page.end);
      read.after = page.to;
    }
    if (ends) out.watches.push_back({std::move(ends), read.shard, end});
  }
  return out;
}

kj::Promise<std::vector<rpc::LogPage>> Server::read_logs(std::vector<rpc::LogRead> reads,
                                                         kj::TimePoint deadline) {
  auto looked = look(reads);
  if (looked.found) return kj::mv(looked.pages);
  kj::Promise<void> more = nullptr;
  if (looked.behind) {
    // A stretch of foreign records: look on, but let others have the thread in between.
    more = kj::evalLast([] {});
  } else if (timer_.now() < deadline) {
    more = log_waits_.wait(kj::mv(looked.watches)).exclusiveJoin(timer_.atTime(deadline));
  } else {
    return kj::mv(looked.pages);
  }
  return more.then([this, reads = kj::mv(reads), deadline]() mutable {
    return read_logs(kj::mv(reads), deadline);
  });
}

kj::Promise<rpc::ReplicatedTables> Server::tables(std::uint64_t generation,
                                                  kj::TimePoint deadline) {
  auto catalog = store_.catalog();
  if (catalog->generation != generation || timer_.now() >= deadline)
    return replicated_tables(*catalog, store_.region());
  std::erase_if(catalog_waits_, [](auto& fulfiller) { return !fulfiller->isWaiting(); });
  auto pair = kj::newPromiseAndFulfiller<void>();
  catalog_waits_.push_back(kj::mv(pair.fulfiller));
  return pair.promise.exclusiveJoin(timer_.atTime(deadline)).then([this, generation, deadline] {
    return tables(generation, deadline);
  });
}

kj::Promise<rpc::ApplyOutcome> Server::apply(rpc::ReplicationBatch batch, NodeId node) {
  ++counters_.batches_received;
  counters_.records_received += batch.records.size();
  auto bytes = size_of(batch);
  if (waiting_bytes_ + bytes > limits_.waiting_bytes_max) {
    ++counters_.batches_refused;
    return rpc::ApplyOutcome{};  // unavailable
  }
  waiting_bytes_ += bytes;
  auto pair = kj::newPromiseAndFulfiller<rpc::ApplyOutcome>();
  waiting_.push_back({std::move(batch), node, bytes, kj::mv(pair.fulfiller)});
  submit_next();
  return kj::mv(pair.promise);
}

void Server::submit_next() {
  while (applying_ < limits_.applies_max && !waiting_.empty()) {
    auto next = kj::mv(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.bytes;
    // A batch whose sender has gone is applied all the same: it may be half of what was promised.
    submit(kj::mv(next));
  }
}

void Server::submit(Waiting waiting) {
  ++applying_;
  auto pending = outcomes_.open();
  store_.apply(
      std::move(waiting.batch), waiting.node,
      [answer = std::move(pending.answer)](const rpc::ApplyOutcome& outcome) { answer(outcome); });
  tasks_.add(pending.promise.then(
      [this, fulfiller = kj::mv(waiting.fulfiller)](rpc::ApplyOutcome outcome) mutable {
        --applying_;
        if (outcome.status != rpc::ApplyStatus::applied) ++counters_.batches_refused;
        fulfiller->fulfill(kj::mv(outcome));
        submit_next();
      }));
}

}  // namespace meridian::peer
