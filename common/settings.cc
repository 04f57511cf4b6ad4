#include "common/settings.h"

#include <arpa/inet.h>

#include <charconv>

#include "common/token_file.h"

namespace meridian {
namespace {

std::optional<std::pair<std::string, int>> split_address(const std::string& address) {
  std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  int port = 0;
  const char* end = address.data() + address.size();
  auto [stop, error] = std::from_chars(address.data() + colon + 1, end, port);
  if (error != std::errc() || stop != end || port < 0 || port > 65535) return std::nullopt;
  return std::pair(address.substr(0, colon), port);
}

RegionId checked_region(ConfigSource& source, const std::string& what, const std::string& name) {
  if (name.empty()) return {};  // the source has complained that it is missing
  auto region = RegionId::parse(name);
  if (!region) {
    source.complain(what + " must be a region name of 1 to 22 characters of [a-z0-9-], not '" +
                    name + "'");
    return {};
  }
  // Contexts have an entry of that name for all regions together (conflict/absence.h).
  if (name == "0") source.complain(what + " must not be '0', which stands for all regions");
  return *region;
}

void check_address(ConfigSource& source, const std::string& what, const std::string& address) {
  if (!valid_address(address))
    source.complain(what + " must be host:port, not '" + address + "'");
}

// `danger`: why it may not be anywhere, and what to do.
std::string listen_at(ConfigSource& source, const std::string& name, const std::string& fallback,
                      Reach reach, const std::string& danger) {
  std::string address = source.text(name, fallback);
  check_address(source, name, address);
  if (reach == Reach::loopback && valid_address(address) && !is_loopback(address))
    source.complain(name + " must be a loopback address, not '" + address + "': " + danger);
  return address;
}

}  // namespace

bool valid_address(const std::string& address) { return split_address(address).has_value(); }

bool is_loopback(const std::string& address) {
  auto parts = split_address(address);
  if (!parts) return false;
  const std::string& host = parts->first;
  in_addr v4{};
  // As a whole: "127.example.com" is a name, and names lead anywhere.
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  return host == "localhost" || host == "[::1]";
}

RegionId region_setting(ConfigSource& source) {
  return checked_region(source, "region", source.text("region", std::nullopt));
}

std::string address_setting(ConfigSource& source, const std::string& name,
                            const std::optional<std::string>& fallback) {
  std::string address = source.text(name, fallback);
  if (!address.empty()) check_address(source, name, address);
  return address;
}

Reach reach_setting(ConfigSource& source) {
  return source.flag("listen_beyond_loopback", false) ? Reach::anybody : Reach::loopback;
}

std::string listen_setting(ConfigSource& source, const std::string& name,
                           const std::string& fallback, Reach reach) {
  return listen_at(source, name, fallback, reach,
                   "signatures are not verified yet, so whoever reaches it may read and write; "
                   "on a network of your own, set listen_beyond_loopback to true");
}

AdminSettings admin_setting(ConfigSource& source, const std::string& name,
                            const std::string& fallback, Reach reach) {
  AdminSettings out;
  std::string path = source.text("admin_token_file", "");
  if (!path.empty()) {
    // A token that cannot be had is a problem of its own, not one of the address.
    reach = Reach::anybody;
    auto token = read_token(path);
    if (token.ok()) {
      out.token = *token;
    } else {
      source.complain("admin_token_file: " + token.error());
    }
  }
  out.address = listen_at(source, name, fallback, reach,
                          "whoever reaches it may change and break the region; set "
                          "admin_token_file to a file with a token, or, on a network of your own, "
                          "listen_beyond_loopback to true");
  return out;
}

std::vector<std::pair<RegionId, std::string>> addresses_setting(ConfigSource& source,
                                                                const std::string& name) {
  std::vector<std::pair<RegionId, std::string>> out;
  for (const auto& [region, address] : source.pairs(name, "region", "address")) {
    out.emplace_back(checked_region(source, name + ".region", region), address);
    check_address(source, name + ".address", address);
  }
  return out;
}

std::vector<std::pair<RegionId, std::string>> peers_setting(ConfigSource& source,
                                                            const RegionId& own) {
  auto out = addresses_setting(source, "peers");
  for (const auto& [peer, address] : out)
    if (peer == own)
      source.complain("peers must not name this region (" + std::string(own.name()) + ")");
  return out;
}

TlsSettings tls_setting(ConfigSource& source) {
  TlsSettings out;
  out.certificate = source.text("tls.certificate", "");
  out.key = source.text("tls.key", "");
  out.authority = source.text("tls.authority", "");
  out.plain_text_allowed = source.flag("peer_plain_text", false);
  bool some = !out.certificate.empty() || !out.key.empty() || !out.authority.empty();
  bool all = !out.certificate.empty() && !out.key.empty() && !out.authority.empty();
  if (some && !all)
    source.complain("tls.certificate, tls.key and tls.authority belong together: give all or none");
  return out;
}

void check_plain_text(ConfigSource& source, const TlsSettings& tls, const std::string& name,
                      const std::string& address) {
  if (tls.on() || tls.plain_text_allowed || !valid_address(address) || is_loopback(address)) return;
  source.complain(name + " leads beyond loopback ('" + address +
                  "') in plain text: set tls.certificate, tls.key and tls.authority (deploy/certs "
                  "makes them), or peer_plain_text to true on a network of your own");
}

LogLevel log_level_setting(ConfigSource& source) {
  std::string level = source.text("log_level", "info");
  auto parsed = parse_log_level(level);
  if (!parsed)
    source.complain("log_level must be debug, info, warn or error, not '" + level + "'");
  return parsed.value_or(LogLevel::info);
}

}  // namespace meridian
