#include "rpc/session.h"

#include <fmt/format.h>
#include <kj/debug.h>

#include "rpc/codec.h"
#include "rpc/kj_log.h"
#include "rpc/tls.h"

namespace meridian::rpc {
namespace {

capnp::ReaderOptions reader_options() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = kMessageWordsMax;
  return options;
}

LinkTrouble trouble_of(const kj::Exception& failure) {
  switch (failure.getType()) {
    case kj::Exception::Type::OVERLOADED: return LinkTrouble::silent;
    case kj::Exception::Type::DISCONNECTED: return LinkTrouble::unreachable;
    default: return LinkTrouble::refused;
  }
}

}  // namespace

Session::Connection::Connection(kj::Own<kj::AsyncIoStream> stream_in)
    : stream(kj::mv(stream_in)),
      network(*stream, capnp::rpc::twoparty::Side::CLIENT, reader_options()),
      rpc(capnp::makeRpcClient(network)),
      client(nullptr) {
  capnp::word scratch[4] = {};
  capnp::MallocMessageBuilder message(scratch);
  auto vat = message.getRoot<capnp::rpc::twoparty::VatId>();
  vat.setSide(capnp::rpc::twoparty::Side::SERVER);
  client = rpc.bootstrap(vat).castAs<wire::Region>();
}

Session::Session(kj::Timer& timer, Dialer& dialer, const Clock& clock, Rng& rng, Logger log,
                 SessionOptions options)
    : timer_(timer),
      dialer_(dialer),
      clock_(clock),
      rng_(rng),
      log_(std::move(log)),
      options_(std::move(options)),
      backoff_(options_.backoff_ms_min, options_.backoff_ms_max) {}

Session::~Session() = default;

void Session::start(std::function<void(bool)> on_change) {
  on_change_ = std::move(on_change);
  running_ = keep_up().eagerlyEvaluate(nullptr);
}

LinkFigures Session::figures() const {
  LinkFigures out;
  out.connected = connected_;
  out.connects = connects_;
  out.round_trip_us = clock_offset_.round_trip_us();
  out.clock_offset_us = clock_offset_.offset_us(clock_.wall_us(), clock_.monotonic_us());
  if (connected_) {
    out.protocol = peer_->protocol;
  } else {
    out.reason = reason_;
    out.trouble = trouble_;
  }
  return out;
}

kj::Exception Session::disconnected_error() const {
  return KJ_EXCEPTION(DISCONNECTED, "no connection", reason_);
}

kj::Promise<void> Session::keep_up() {
  // (Without file descriptors a dial may throw at once instead of answering a promise that fails.)
  return kj::evalNow([this] { return connect_once(); })
      .then([]() -> kj::Promise<void> { return KJ_EXCEPTION(DISCONNECTED, "closed by the peer"); })
      .catch_([this](kj::Exception&& failure) {
        lost(failure);
        return timer_.afterDelay(backoff_.next_ms(rng_) * kj::MILLISECONDS);
      })
      .then([this] { return keep_up(); });
}

kj::Promise<void> Session::connect_once() {
  return timer_.timeoutAfter(options_.dial_ms_max * kj::MILLISECONDS, dialer_.dial())
      .then([this](kj::Own<kj::AsyncIoStream> stream) {
        connection_ = kj::heap<Connection>(kj::mv(stream));
        return say_hello();
      })
      .then([this] {
        connected_ = true;
        loss_reported_ = false;
        ++connects_;
        heard_us_ = clock_.monotonic_us();
        reason_.clear();
        log_.info("link_up", "address={} region={}", options_.address, peer_->region.name());
        if (on_change_) on_change_(true);
        return heartbeat().exclusiveJoin(connection_->network.onDisconnect());
      });
}

kj::Promise<void> Session::say_hello() {
  auto request = connection_->client.helloRequest();
  request.setProtocol(options_.hello.protocol_min);
  request.setProtocolMax(options_.hello.protocol);
  request.setRegion(std::string(options_.hello.region.name()));
  request.setNode(options_.hello.node.value);
  request.setRole(write_role(options_.hello.role));
  return timer_.timeoutAfter(
      options_.call_ms_max * kj::MILLISECONDS,
      request.send().then(
          [this](capnp::Response<wire::Region::HelloResults>&& answer) { accept_hello(answer); }));
}

void Session::accept_hello(wire::Region::HelloResults::Reader answer) {
  HelloAnswer said{answer.getProtocol(), read_region(answer.getRegion()), NodeId(answer.getNode()),
                   StartId(answer.getStart())};
  const auto& ours = options_.hello;
  if (said.protocol < ours.protocol_min || said.protocol > ours.protocol)
    throw CodecError(fmt::format("speaks protocol {}, not {} to {}", said.protocol,
                                 ours.protocol_min, ours.protocol));
  if (options_.expected && said.region != *options_.expected)
    throw CodecError(
        fmt::format("is region {}, not {}", said.region.name(), options_.expected->name()));
  // Another node has another clock, and what was measured before a pause may be stale.
  clock_offset_.clear();
  peer_ = said;
}

kj::Promise<void> Session::heartbeat() {
  auto sent_us = clock_.monotonic_us();
  auto answered = connection_->client.pingRequest().send().then(
      [this, sent_us](capnp::Response<wire::Region::PingResults>&& answer) {
        heard_us_ = clock_.monotonic_us();
        clock_offset_.add(sent_us, answer.getWallUs(), heard_us_);
        backoff_.reset();
      });
  return await_ping(kj::mv(answered))
      .then([this] { return timer_.afterDelay(options_.ping_interval_ms * kj::MILLISECONDS); })
      .then([this] { return heartbeat(); });
}

kj::Promise<void> Session::await_ping(kj::Promise<void> answered) {
  auto forked = answered.fork();
  auto in_time = forked.addBranch().then([] { return true; });
  auto too_late =
      timer_.afterDelay(options_.ping_ms_max * kj::MILLISECONDS).then([] { return false; });
  return in_time.exclusiveJoin(kj::mv(too_late))
      .then([this, forked = kj::mv(forked)](bool answered_in_time) mutable -> kj::Promise<void> {
        if (answered_in_time) return kj::READY_NOW;
        if (clock_.monotonic_us() - heard_us_ > options_.ping_ms_max * 1000)
          return KJ_EXCEPTION(OVERLOADED, "no answer to the heartbeat");
        return await_ping(forked.addBranch());
      });
}

void Session::lost(const kj::Exception& failure) {
  bool was_connected = connected_;
  connected_ = false;
  reason_ = describe(failure);
  trouble_ = trouble_of(failure);
  if (auto text = explain_tls(reason_)) {
    reason_ = *text;
    trouble_ = LinkTrouble::tls;
  }
  // Repeated failures of one outage are one event.
  if (!loss_reported_)
    log_.warn("link_down", "address={} reason=\"{}\"", options_.address, reason_);
  loss_reported_ = true;
  connection_ = nullptr;
  if (was_connected && on_change_) on_change_(false);
}

}  // namespace meridian::rpc
