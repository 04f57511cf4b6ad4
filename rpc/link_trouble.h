// LinkTrouble: why a link is down, coarsely, for metrics; the reason beside it is for people.
// Threads: any.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace meridian::rpc {

enum class LinkTrouble : std::uint8_t {
  none,
  unreachable,  // nothing takes the dial, or the connection was closed
  silent,       // no answer in time
  tls,          // the two do not trust each other
  refused,      // hello was refused: protocol, identity, certificate of another region
};
inline constexpr std::array kLinkTroubles{LinkTrouble::unreachable, LinkTrouble::silent,
                                          LinkTrouble::tls, LinkTrouble::refused};

inline std::string_view link_trouble_name(LinkTrouble trouble) {
  switch (trouble) {
    case LinkTrouble::none: return "none";
    case LinkTrouble::unreachable: return "unreachable";
    case LinkTrouble::silent: return "silent";
    case LinkTrouble::tls: return "tls";
    case LinkTrouble::refused: return "refused";
  }
  return "none";
}

}  // namespace meridian::rpc
