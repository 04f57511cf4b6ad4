// peer_dialer(): how a daemon reaches a region's node: a socket, on it the faults that are done to the
// link on purpose, on them mutual TLS.
//
// Threads: the KJ thread.  Borrows: network, faults and TLS.
#pragma once

#include <kj/async-io.h>

#include <string>

#include "common/ids.h"
#include "rpc/faults/link_faults.h"
#include "rpc/socket.h"
#include "rpc/tls.h"

namespace meridian::rpc {

struct PeerRoute {
  kj::Network& network;
  FaultLink* faults = nullptr;  // none to the own region
  Tls* tls = nullptr;           // null: plain text
};
// `region`: whose node is there, and whom its certificate must name.
kj::Own<Dialer> peer_dialer(const PeerRoute& route, const RegionId& region, std::string address);

}  // namespace meridian::rpc
