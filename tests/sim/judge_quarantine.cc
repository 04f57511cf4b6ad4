// P17: the part of the Judge that looks at records which could not be applied.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "region-node/model/image.h"
#include "region-node/model/key.h"
#include "tests/sim/judge.h"

namespace meridian::sim {
namespace {

constexpr std::size_t kParkedRead = 10'000;

// Whether a row is an item of its key; a poison record's image is another key's.
bool fits(const store::Row& row) {
  if (!row.image) return true;
  auto item = model::decode_image(*row.image);
  if (!item) return false;
  auto key = model::encode_key(sim_schema(), *item);
  return key.ok() && *key == row.key;
}

}  // namespace

std::vector<store::ParkedRecord> Judge::parked(std::size_t region) const {
  return outside_.nodes[region]->reader().parked(table_, kParkedRead, 0);
}

std::map<Bytes, conflict::Version> Judge::arrived(std::size_t region) const {
  std::map<Bytes, conflict::Version> out;
  auto gone = horizon(region);
  for (auto& row : rows(region))
    out.emplace(row.key, row.image || row.version > gone ? row.version : gone);
  // What is gone has come as well.
  if (gone != conflict::Version{})
    for (std::uint32_t key = 0; key < history_.keys(); ++key)
      if (owns(key)) out.emplace(key_of(key), gone);
  for (const auto& each : parked(region)) {
    conflict::Version& newest = out[each.record.key];
    newest = std::max(newest, each.record.version);
  }
  return out;
}

std::map<std::uint32_t, std::size_t> Judge::waiting_keys() const {
  std::map<std::uint32_t, std::size_t> out;
  auto regions_by_name = regions();
  for (std::size_t region = 0; region < outside_.nodes.size(); ++region)
    for (const auto& each : parked(region))
      for (std::size_t source = 0; source < regions_by_name.size(); ++source)
        if (regions_by_name[source] == each.flow.source)
          out[history_.key_number(each.record.key).value_or(0)] = source;
  return out;
}

void Judge::quarantine() {
  std::map<Bytes, std::vector<std::optional<store::Row>>> by_key;
  std::size_t regions_here = outside_.nodes.size();
  for (std::size_t region = 0; region < regions_here; ++region) {
    for (auto& row : rows(region)) {
      if (!fits(row) && row.version.region != outside_.nodes[region]->region())
        add("P17", fmt::format("region {} has applied what is no item: {}", region,
                               conflict::to_text(row.version)));
      auto& all = by_key[row.key];
      all.resize(regions_here);
      all[region] = std::move(row);
    }
  }
  std::vector<std::map<Bytes, std::set<conflict::Version>>> aside(regions_here);
  for (std::size_t region = 0; region < regions_here; ++region)
    for (const auto& each : parked(region))
      aside[region][each.record.key].insert(each.record.version);
  for (const auto& [key, all] : by_key) {
    const store::Row* newest = nullptr;
    for (const auto& row : all)
      if (row && (newest == nullptr || row->version > newest->version)) newest = &*row;
    for (std::size_t region = 0; region < regions_here; ++region) {
      bool has_it = all[region] ? all[region]->version == newest->version
                                : !newest->image && newest->version <= horizon(region);
      if (has_it || (!fits(*newest) && aside[region][key].contains(newest->version))) continue;
      add("P17", fmt::format("region {} waits for {} of key {}, which is not in its quarantine",
                             region, conflict::to_text(newest->version),
                             history_.key_number(key).value_or(0)));
    }
  }
}

}  // namespace meridian::sim
