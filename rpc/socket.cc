#include "rpc/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace meridian::rpc {
namespace {

template <typename T>
void set(kj::AsyncIoStream& stream, int level, int option, T value) {
  stream.setsockopt(level, option, &value, sizeof value);
}

}  // namespace

void tune_socket(kj::AsyncIoStream& stream) {
  // A pipe answers "unimplemented"; it needs none of this.
  static_cast<void>(kj::runCatchingExceptions([&stream] {
    set(stream, IPPROTO_TCP, TCP_NODELAY, 1);
    set(stream, IPPROTO_TCP, TCP_USER_TIMEOUT, kSocketTimeoutMs);
    set(stream, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(stream, IPPROTO_TCP, TCP_KEEPIDLE, 3);
    set(stream, IPPROTO_TCP, TCP_KEEPINTVL, 2);
    set(stream, IPPROTO_TCP, TCP_KEEPCNT, 3);
  }));
}

kj::Promise<kj::Own<kj::AsyncIoStream>> TcpDialer::dial() {
  return network_.parseAddress(address_).then([](kj::Own<kj::NetworkAddress> address) {
    auto connecting = address->connect().then([](kj::Own<kj::AsyncIoStream> stream) {
      tune_socket(*stream);
      return kj::mv(stream);
    });
    return connecting.attach(kj::mv(address));
  });
}

}  // namespace meridian::rpc
