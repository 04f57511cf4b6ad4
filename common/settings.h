// Settings that several daemons have, each with its check and its complaint.
//
// Threads: used once, at start.  Errors: complaints to the ConfigSource; what is returned after one is
// of no use, and ConfigSource::finish() throws.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/config.h"
#include "common/ids.h"
#include "common/log.h"

namespace meridian {

// "host:port", with a port from 0 to 65535; an IPv6 host stands in brackets.
bool valid_address(const std::string& address);
// True for host:port of 127.0.0.0/8, [::1] and localhost.
bool is_loopback(const std::string& address);

RegionId region_setting(ConfigSource& source);
std::string address_setting(ConfigSource& source, const std::string& name,
                            const std::optional<std::string>& fallback);
// Who may reach the addresses that a daemon listens on.  Until requests are authenticated, one that
// others can reach is an open door, so it takes an operator's word: listen_beyond_loopback.
enum class Reach { loopback, anybody };
Reach reach_setting(ConfigSource& source);
std::string listen_setting(ConfigSource& source, const std::string& name,
                           const std::string& fallback, Reach reach);
// The admin address of a daemon, and the token that it wants (common/token_file.h).  With one it may
// listen anywhere, as only those who hold it are served; without one it is an address like the others.
struct AdminSettings {
  std::string address;
  std::string token;  // empty: whoever reaches the address is served
};
AdminSettings admin_setting(ConfigSource& source, const std::string& name,
                            const std::string& fallback, Reach reach);
// The other regions' peer RPC addresses; none may be the `own` region.
std::vector<std::pair<RegionId, std::string>> peers_setting(ConfigSource& source,
                                                            const RegionId& own);
// Addresses (host:port) by region; `name` is a list of {region, address}.
std::vector<std::pair<RegionId, std::string>> addresses_setting(ConfigSource& source,
                                                                const std::string& name);
// Mutual TLS between regions: files in PEM, all three or none.  Without them the peer RPC is plain
// text, which beyond loopback takes an operator's word: peer_plain_text.
struct TlsSettings {
  std::string certificate;  // names the region; may be followed by intermediate ones
  std::string key;
  std::string authority;  // whose certificates are trusted; one or more
  bool plain_text_allowed = false;
  [[nodiscard]] bool on() const { return !certificate.empty(); }
};
TlsSettings tls_setting(ConfigSource& source);
// Complains when an address of the peer RPC leads beyond loopback in plain text without that word.
void check_plain_text(ConfigSource& source, const TlsSettings& tls, const std::string& name,
                      const std::string& address);
LogLevel log_level_setting(ConfigSource& source);

}  // namespace meridian
