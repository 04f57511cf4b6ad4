#include "region-node/api/capacity.h"

#include "region-node/api/json_out.h"

namespace meridian::api {
namespace {

constexpr std::size_t kReadUnitBytes = 4096;
constexpr std::size_t kWriteUnitBytes = 1024;

double units_of(std::size_t bytes, std::size_t unit) {
  return bytes == 0 ? 1.0 : static_cast<double>((bytes + unit - 1) / unit);
}

}  // namespace

CapacityDetail parse_capacity_detail(std::optional<std::string_view> name) {
  if (name == "TOTAL") return CapacityDetail::total;
  if (name == "INDEXES") return CapacityDetail::indexes;
  return CapacityDetail::none;
}

double read_units(std::size_t bytes, Consistency consistency) {
  double units = units_of(bytes, kReadUnitBytes);
  return consistency == Consistency::strong ? units : units / 2;
}

double write_units(std::size_t bytes) { return units_of(bytes, kWriteUnitBytes); }

void append_capacity(std::string& out, std::string_view table, double units,
                     CapacityDetail detail) {
  JsonMembers members(out);
  members.text("TableName", table);
  members.decimal("CapacityUnits", units);
  if (detail == CapacityDetail::indexes) {
    JsonMembers inner(members.name("Table"));
    inner.decimal("CapacityUnits", units);
    inner.end();
  }
  members.end();
}

void append_capacities(std::string& out, const std::map<std::string, double>& units,
                       CapacityDetail detail) {
  out += '[';
  bool first = true;
  for (const auto& [table, used] : units) {
    if (!first) out += ',';
    first = false;
    append_capacity(out, table, used, detail);
  }
  out += ']';
}

}  // namespace meridian::api
