// Sockets of the peer wire: dialling, and the options that make a silent partition end in seconds.
//
// Dialer is the seam for transport: TcpDialer is plain text, others wrap its stream (rpc/tls.h,
// rpc/faults), and tests hand in pipes.
// Threads: the KJ thread.  Errors: a failed dial rejects its promise.
#pragma once

#include <kj/async-io.h>

#include <string>

namespace meridian::rpc {

// Unacknowledged data or a silent peer ends a connection after this long (TCP_USER_TIMEOUT and
// keepalive); heartbeats usually notice earlier.
inline constexpr unsigned kSocketTimeoutMs = 10'000;

// Sets TCP_NODELAY, TCP_USER_TIMEOUT and keepalive; does nothing on what is not a TCP socket.
void tune_socket(kj::AsyncIoStream& stream);

class Dialer {
 public:
  virtual ~Dialer() = default;
  virtual kj::Promise<kj::Own<kj::AsyncIoStream>> dial() = 0;
};

class TcpDialer final : public Dialer {
 public:
  // `address`: host:port, looked up anew at every dial.  Borrows the network.
  TcpDialer(kj::Network& network, std::string address)
      : network_(network), address_(std::move(address)) {}
  kj::Promise<kj::Own<kj::AsyncIoStream>> dial() override;

 private:
  kj::Network& network_;
  const std::string address_;
};

}  // namespace meridian::rpc
