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
// The other regions' peer RPC addresses; none may be the `own` region.
std::vector<std::pair<RegionId, std::string>> peers_setting(ConfigSource& source,
                                                            const RegionId& own);
// Addresses (host:port) by region; `name` is a list of {region, address}.
std::vector<std::pair<RegionId, std::string>> addresses_setting(ConfigSource& source,
                                                                const std::string& name);
LogLevel log_level_setting(ConfigSource& source);

}  // namespace meridian
