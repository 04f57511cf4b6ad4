#include "rpc/faults/stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/check.h"

namespace meridian::rpc {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

kj::Array<kj::byte> copy_of(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  std::size_t size = 0;
  for (auto piece : pieces) size += piece.size();
  auto out = kj::heapArray<kj::byte>(size);
  auto* at = out.begin();
  for (auto piece : pieces) {
    if (piece.size() > 0) std::memcpy(at, piece.begin(), piece.size());
    at += piece.size();
  }
  return out;
}

}  // namespace

// -------------------------------------------------------------------------------------------- queues

void FaultyStream::Queue::add(Piece piece, FaultLink& link) {
  lane.push(piece.bytes.size(), link.now_us(), link.rng());
  pieces.push_back(kj::mv(piece));
  notify();
}

kj::ArrayPtr<kj::byte> FaultyStream::Queue::first(std::size_t bytes) {
  auto& piece = pieces.front();
  return piece.bytes.slice(piece.gone, piece.gone + bytes);
}

void FaultyStream::Queue::pop(std::size_t bytes) {
  lane.pop(bytes);
  auto& piece = pieces.front();
  piece.gone += bytes;
  if (piece.gone == piece.bytes.size()) pieces.pop_front();
  notify();
}

kj::Promise<void> FaultyStream::Queue::changed() {
  auto pair = kj::newPromiseAndFulfiller<void>();
  waiting = kj::mv(pair.fulfiller);
  return kj::mv(pair.promise);
}

void FaultyStream::Queue::notify() {
  if (waiting.get() != nullptr) kj::mv(waiting)->fulfill();
}

FaultyStream::FaultyStream(kj::Own<kj::AsyncIoStream> inner, FaultLink& link)
    : inner_(kj::mv(inner)), link_(link) {}

FaultyStream::~FaultyStream() noexcept {
  drainer_ = nullptr;
  reader_ = nullptr;
  if (link_.cut()) link_.bury(kj::mv(inner_));
}

// ------------------------------------------------------------------------------------------- writing

kj::Promise<void> FaultyStream::write(const void* buffer, std::size_t size) {
  if (!shaping() && out_.lane.empty()) return inner_->write(buffer, size);
  auto bytes = kj::arrayPtr(static_cast<const kj::byte*>(buffer), size);
  return enqueue({copy_of(kj::arrayPtr(&bytes, 1)), 0, nullptr});
}

kj::Promise<void> FaultyStream::write(
    kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  if (!shaping() && out_.lane.empty()) return inner_->write(pieces);
  return enqueue({copy_of(pieces), 0, nullptr});
}

kj::Promise<void> FaultyStream::enqueue(Piece piece) {
  KJ_IF_MAYBE (failure, broken_) return kj::cp(*failure);
  if (piece.bytes.size() == 0) return kj::READY_NOW;
  out_.add(kj::mv(piece), link_);
  if (!std::exchange(draining_, true)) drainer_ = drain().eagerlyEvaluate(nullptr);
  // The writer may go on as soon as there is room, as with the system's own buffer.
  struct Room {
    static kj::Promise<void> wait(FaultyStream& self) {
      KJ_IF_MAYBE (failure, self.broken_) return kj::cp(*failure);
      if (self.out_.lane.bytes() <= kQueueBytesMax) return kj::READY_NOW;
      return self.out_.changed().then([&self] { return wait(self); });
    }
  };
  return Room::wait(*this);
}

// Writes what may leave; done when nothing is left, or when writing fails.
kj::Promise<void> FaultyStream::drain() {
  if (out_.lane.empty()) {
    draining_ = false;
    return kj::READY_NOW;
  }
  auto next = out_.lane.next(link_.plan(), link_.bucket(FaultLink::Way::out), link_.now_us());
  if (next.kind == Lane::Next::Kind::wait_until)
    return link_.until(next.at_us).then([this] { return drain(); });
  if (next.kind == Lane::Next::Kind::wait_for_change)
    return link_.changed().then([this] { return drain(); });
  if (out_.pieces.front().bytes.size() == 0) {
    inner_->shutdownWrite();
    out_.pop(0);
    return drain();
  }
  if (const Fault* limit = link_.plan().find(FaultKind::limit))
    link_.bucket(FaultLink::Way::out).take(next.bytes, limit->bytes_per_second, link_.now_us());
  auto bytes = out_.first(next.bytes);
  return inner_->write(bytes.begin(), bytes.size())
      .then(
          [this, size = next.bytes]() -> kj::Promise<void> {
            out_.pop(size);
            return drain();
          },
          [this](kj::Exception&& failure) -> kj::Promise<void> {
            broken_ = kj::mv(failure);
            out_.notify();
            return kj::READY_NOW;
          });
}

void FaultyStream::shutdownWrite() {
  if (!shaping() && out_.lane.empty()) {
    inner_->shutdownWrite();
    return;
  }
  if (broken_ != nullptr) return;
  out_.add({}, link_);
  if (!std::exchange(draining_, true)) drainer_ = drain().eagerlyEvaluate(nullptr);
}

kj::Promise<void> FaultyStream::whenWriteDisconnected() {
  return inner_->whenWriteDisconnected().then([this] { return link_.until_not_cut(); });
}

// ------------------------------------------------------------------------------------------- reading

kj::Promise<std::size_t> FaultyStream::tryRead(void* buffer, std::size_t bytes_min,
                                               std::size_t bytes_max) {
  auto* into = static_cast<kj::byte*>(buffer);
  if (reading_ahead_ || shaping()) {
    start_reading();
    return take(into, bytes_min, bytes_max, 0);
  }
  return inner_->tryRead(buffer, bytes_min, bytes_max)
      .then(
          [this, into, bytes_min, bytes_max](std::size_t size) -> kj::Promise<std::size_t> {
            if (!shaping()) return size;
            // A fault began meanwhile: this is the first that it is done to.
            in_.add({kj::heapArray<kj::byte>(into, size), 0, nullptr}, link_);
            if (size > 0) start_reading();
            reading_ahead_ = true;
            return take(into, bytes_min, bytes_max, 0);
          },
          [this](kj::Exception&& failure) -> kj::Promise<std::size_t> {
            return link_.until_not_cut().then(
                [failure = kj::mv(failure)]() mutable -> kj::Promise<std::size_t> {
                  return kj::mv(failure);
                });
          });
}

void FaultyStream::start_reading() {
  if (std::exchange(reading_ahead_, true)) return;
  scratch_ = kj::heapArray<kj::byte>(kReadBytes);
  reader_ = read_ahead()
                .catch_([this](kj::Exception&& failure) {
                  in_.add({nullptr, 0, kj::mv(failure)}, link_);
                })
                .eagerlyEvaluate(nullptr);
}

// Reads into the queue; done at the end of the stream.
kj::Promise<void> FaultyStream::read_ahead() {
  if (link_.cut()) return link_.until_not_cut().then([this] { return read_ahead(); });
  // (Only this waits for a full queue to change, and only take() for an empty one.)
  if (in_.lane.bytes() >= kQueueBytesMax)
    return in_.changed().then([this] { return read_ahead(); });
  return inner_->tryRead(scratch_.begin(), 1, scratch_.size())
      .then([this](std::size_t size) -> kj::Promise<void> {
        in_.add({kj::heapArray<kj::byte>(scratch_.begin(), size), 0, nullptr}, link_);
        if (size == 0) return kj::READY_NOW;
        return read_ahead();
      });
}

kj::Promise<std::size_t> FaultyStream::take(kj::byte* buffer, std::size_t bytes_min,
                                            std::size_t bytes_max, std::size_t taken) {
  auto again = [this, buffer, bytes_min, bytes_max](std::size_t so_far) {
    return [this, buffer, bytes_min, bytes_max, so_far] {
      return take(buffer, bytes_min, bytes_max, so_far);
    };
  };
  while (!in_.lane.empty() && taken < bytes_max) {
    auto next = in_.lane.next(link_.plan(), link_.bucket(FaultLink::Way::in), link_.now_us());
    if (next.kind != Lane::Next::Kind::go) {
      if (taken >= bytes_min && taken > 0) return taken;
      if (next.kind == Lane::Next::Kind::wait_until)
        return link_.until(next.at_us).then(again(taken));
      return link_.changed().then(again(taken));
    }
    auto& piece = in_.pieces.front();
    if (piece.bytes.size() == 0) {
      // The end, and it stays there for whoever reads again.
      KJ_IF_MAYBE (failure, piece.failure) return kj::cp(*failure);
      return taken;
    }
    auto size = std::min(next.bytes, bytes_max - taken);
    if (const Fault* limit = link_.plan().find(FaultKind::limit))
      link_.bucket(FaultLink::Way::in).take(size, limit->bytes_per_second, link_.now_us());
    std::memcpy(buffer + taken, in_.first(size).begin(), size);
    in_.pop(size);
    taken += size;
  }
  if (taken >= bytes_min) return taken;
  return in_.changed().then(again(taken));
}

kj::Promise<kj::Own<kj::AsyncIoStream>> FaultyDialer::dial() {
  return link_.until_not_cut()
      .then([this] { return inner_->dial(); })
      .then([this](kj::Own<kj::AsyncIoStream> stream) -> kj::Own<kj::AsyncIoStream> {
        return kj::heap<FaultyStream>(kj::mv(stream), link_);
      });
}

}  // namespace meridian::rpc
