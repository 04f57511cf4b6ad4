#include "region-node/api/json_out.h"

#include <fmt/format.h>

#include <array>

namespace meridian::api {
namespace {

constexpr std::array<bool, 256> make_escaped() {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < 32; ++c) out[c] = true;
  out['"'] = true;
  out['\\'] = true;
  return out;
}
constexpr std::array<bool, 256> kEscaped = make_escaped();

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\u00";
  out += kDigits[(c >> 4) & 15];
  out += kDigits[c & 15];
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!kEscaped[static_cast<unsigned char>(text[at])]) continue;
    out.append(text, plain, at - plain);
    append_escaped(out, text[at]);
    plain = at + 1;
  }
  out.append(text, plain);
  out += '"';
}

void append_integer(std::string& out, std::int64_t value) {
  fmt::format_int digits(value);
  out.append(digits.data(), digits.size());
}

void append_decimal(std::string& out, double value) {
  fmt::format_to(std::back_inserter(out), "{}", value);
}

}  // namespace meridian::api
