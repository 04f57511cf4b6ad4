#include "rpc/faults/peer_dialer.h"

#include "rpc/faults/stream.h"

namespace meridian::rpc {

kj::Own<Dialer> peer_dialer(const PeerRoute& route, const RegionId& region, std::string address) {
  kj::Own<Dialer> dialer = kj::heap<TcpDialer>(route.network, std::move(address));
  if (route.faults != nullptr) dialer = kj::heap<FaultyDialer>(kj::mv(dialer), *route.faults);
  if (route.tls != nullptr) dialer = kj::heap<TlsDialer>(kj::mv(dialer), *route.tls, region);
  return dialer;
}

}  // namespace meridian::rpc
