// FaultyStream: a connection on which the faults of its FaultLink can be seen; FaultyDialer: makes
// them.
//
// Without a fault, bytes pass straight through.  Otherwise each direction is a Lane: bytes are copied
// into a bounded queue and leave when the plan lets them.  What the system has been given already
// goes on; what is in a queue when the connection ends is lost, as on a network.
//
// Threads: the KJ thread.  Owns: the inner stream.  Borrows: the link, which outlives it.
// Errors: those of the inner stream, once the plan lets them be seen: during a cut neither an end nor
// an error of the connection can be known.
// Limits: kQueueBytesMax in each direction, plus one write.
#pragma once

#include <kj/async-io.h>

#include <deque>
#include <optional>

#include "rpc/faults/link_faults.h"
#include "rpc/socket.h"

namespace meridian::rpc {

class FaultyStream final : public kj::AsyncIoStream {
 public:
  static constexpr std::size_t kQueueBytesMax = 4 * 1024 * 1024;

  FaultyStream(kj::Own<kj::AsyncIoStream> inner, FaultLink& link);
  ~FaultyStream() noexcept;

  kj::Promise<std::size_t> tryRead(void* buffer, std::size_t bytes_min,
                                   std::size_t bytes_max) override;
  kj::Promise<void> write(const void* buffer, std::size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> whenWriteDisconnected() override;
  void shutdownWrite() override;
  void abortRead() override { inner_->abortRead(); }
  void getsockopt(int level, int option, void* value, unsigned* length) override {
    inner_->getsockopt(level, option, value, length);
  }
  void setsockopt(int level, int option, const void* value, unsigned length) override {
    inner_->setsockopt(level, option, value, length);
  }
  void getsockname(struct sockaddr* address, unsigned* length) override {
    inner_->getsockname(address, length);
  }
  void getpeername(struct sockaddr* address, unsigned* length) override {
    inner_->getpeername(address, length);
  }

 private:
  // One entry per piece of its lane.  Without bytes it is the end of the stream, or an error.
  struct Piece {
    kj::Array<kj::byte> bytes;
    std::size_t gone = 0;  // of its bytes
    kj::Maybe<kj::Exception> failure;
  };
  struct Queue {
    Lane lane;
    std::deque<Piece> pieces;
    kj::Own<kj::PromiseFulfiller<void>> waiting;  // for a change of it
    void add(Piece piece, FaultLink& link);
    kj::ArrayPtr<kj::byte> first(std::size_t bytes);
    void pop(std::size_t bytes);
    kj::Promise<void> changed();
    void notify();
  };

  [[nodiscard]] bool shaping() const { return link_.plan().shapes_bytes(); }
  kj::Promise<void> enqueue(Piece piece);
  kj::Promise<void> drain();
  void start_reading();
  kj::Promise<void> read_ahead();
  kj::Promise<std::size_t> take(kj::byte* buffer, std::size_t bytes_min, std::size_t bytes_max,
                                std::size_t taken);

  kj::Own<kj::AsyncIoStream> inner_;
  FaultLink& link_;
  Queue out_;
  Queue in_;
  bool draining_ = false;
  kj::Maybe<kj::Exception> broken_;  // writing failed
  // From the first fault on until the end of the connection, it is read ahead of its reader.
  bool reading_ahead_ = false;
  kj::Array<kj::byte> scratch_;
  kj::Promise<void> drainer_ = nullptr;  // last members: cancelled first
  kj::Promise<void> reader_ = nullptr;
};

class FaultyDialer final : public Dialer {
 public:
  FaultyDialer(kj::Own<Dialer> inner, FaultLink& link) : inner_(kj::mv(inner)), link_(link) {}
  ~FaultyDialer() noexcept override {}
  // Waits out a cut: the dialler's own deadline ends it, as where nothing answers.
  kj::Promise<kj::Own<kj::AsyncIoStream>> dial() override;

 private:
  kj::Own<Dialer> inner_;
  FaultLink& link_;
};

}  // namespace meridian::rpc
