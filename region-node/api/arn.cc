#include "region-node/api/arn.h"

namespace meridian::api {
namespace {

// Takes what lies before `separator` off the front of `in`.
std::optional<std::string_view> take_until(std::string_view& in, char separator) {
  auto at = in.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  auto taken = in.substr(0, at);
  in.remove_prefix(at + 1);
  return taken;
}

}  // namespace

std::string table_arn(const RegionId& region, std::string_view table) {
  std::string out = "arn:aws:dynamodb:";
  out.append(region.name()).append(":").append(kAccount).append(":table/").append(table);
  return out;
}

std::string stream_arn(const RegionId& region, std::string_view table, std::string_view label) {
  return table_arn(region, table).append("/stream/").append(label);
}

std::optional<TableRef> parse_arn(std::string_view text) {
  auto arn = take_until(text, ':');
  auto partition = take_until(text, ':');
  auto service = take_until(text, ':');
  auto region = take_until(text, ':');
  auto account = take_until(text, ':');
  if (!account || *arn != "arn" || *service != "dynamodb") return std::nullopt;
  static constexpr std::string_view kPartitionLetters = "abcdefghijklmnopqrstuvwxyz-";
  if (!partition->starts_with("aws") ||
      partition->find_first_not_of(kPartitionLetters) != std::string_view::npos)
    return std::nullopt;
  bool digits = account->find_first_not_of("0123456789") == std::string_view::npos;
  if (region->empty() || account->size() != 12 || !digits || !text.starts_with("table/"))
    return std::nullopt;
  text.remove_prefix(6);
  TableRef out;
  out.region = *region;
  auto slash = text.find('/');
  out.table = text.substr(0, slash);
  if (out.table.empty()) return std::nullopt;
  if (slash == std::string_view::npos) return out;
  text.remove_prefix(slash);
  if (!text.starts_with("/stream/") || text.size() == 8) return std::nullopt;
  out.label = text.substr(8);
  return out;
}

}  // namespace meridian::api
