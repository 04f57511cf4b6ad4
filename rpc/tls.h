// Tls: mutual TLS for the connections between regions, and between a region's own daemons.
//
// A certificate names a region; whoever holds its key may act for that region and for no other.  The
// name stands in it twice: as a DNS name, which the one who dials checks, and as the common name, for KJ
// 0.9.2 can tell the one who is dialled nothing else.  Both ends show one, issued by an authority that
// the other trusts.  The files are looked at every kLookMs: when they have changed, new connections use
// the new ones; files that do not fit together (they are replaced one after the other) leave the old
// ones in use.  An expired certificate keeps nobody from starting or from trying: the other end refuses
// it, and both say so.
//
// Threads: the KJ thread; TlsCounters from any.
// Borrows: timer, clock and counters.
// Errors: the constructor throws std::runtime_error naming the file.  A failed handshake rejects its
// promise; explain_tls() puts it into words.
// Limits: TLS 1.2 or newer.
// Source: ADR 0014.
#pragma once

#include <kj/async-io.h>
#include <kj/compat/tls.h>
#include <kj/timer.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/clock.h"
#include "common/ids.h"
#include "common/log.h"
#include "common/settings.h"
#include "rpc/socket.h"

namespace meridian::rpc {

struct TlsCounters {
  std::atomic<std::int64_t> expires_us{0};  // of the certificate in use; 0 without TLS
  std::atomic<std::uint64_t> loads{0};
  std::atomic<std::uint64_t> loads_failed{0};
};

class Tls {
 public:
  static constexpr std::int64_t kLookMs = 2000;
  // A certificate is to be replaced in good time.
  static constexpr std::int64_t kSoonMs = std::int64_t{14} * 24 * 3600 * 1000;

  // REQUIRES: settings.on().
  Tls(TlsSettings settings, RegionId region, kj::Timer& timer, const Clock& clock,
      TlsCounters& counters, Logger log);
  ~Tls() noexcept;
  KJ_DISALLOW_COPY(Tls);

  // Begins to speak TLS as the one who dialled; the other side must be `expected`.
  kj::Promise<kj::Own<kj::AsyncIoStream>> dialled(kj::Own<kj::AsyncIoStream> stream,
                                                  const RegionId& expected);
  // Begins to speak TLS as the one who was dialled.  names() tells whom the other side may act for.
  kj::Promise<kj::AuthenticatedStream> accepted(kj::Own<kj::AsyncIoStream> stream);
  static bool names(kj::PeerIdentity& identity, const RegionId& region);

  // Looks whether the files have changed, now and from now on.
  void watch();
  // Takes what the files hold now; false, and the old ones stay, when that does not work.
  bool reload();

 private:
  struct Contexts;
  using Stamp = std::array<std::int64_t, 9>;  // changes when one of the files does

  [[nodiscard]] Contexts load() const;
  [[nodiscard]] Stamp stamp() const;
  void use(Contexts contexts);
  [[nodiscard]] std::int64_t left_ms() const;
  void tell_if_soon();
  void look();
  kj::Promise<void> look_on();

  const TlsSettings settings_;
  const RegionId region_;
  kj::Timer& timer_;
  const Clock& clock_;
  TlsCounters& counters_;
  const Logger log_;
  std::shared_ptr<Contexts> contexts_;  // a handshake under way keeps its own
  Stamp stamp_{};
  // Of the certificate in use.
  bool expiry_told_ = false;
  bool soon_told_ = false;
  kj::Promise<void> looking_ = nullptr;  // last: cancelled first
};

class TlsDialer final : public Dialer {
 public:
  TlsDialer(kj::Own<Dialer> inner, Tls& tls, RegionId expected)
      : inner_(kj::mv(inner)), tls_(tls), expected_(expected) {}
  ~TlsDialer() noexcept override {}
  kj::Promise<kj::Own<kj::AsyncIoStream>> dial() override;

 private:
  kj::Own<Dialer> inner_;
  Tls& tls_;
  const RegionId expected_;
};

// What a failure of TLS means, for people; empty when `failure` is something else.
std::optional<std::string> explain_tls(const std::string& failure);

}  // namespace meridian::rpc
