#include "tests/sim/sim_drain.h"

#include <fmt/format.h>

#include <algorithm>

namespace meridian::sim {
namespace {

constexpr std::int64_t kPollUs = 130'000;
constexpr std::int64_t kAskAgainUs = 2'000'000;

// Whether the sink may say yes to the first question although the second was made later: both are about
// the same tables, no log has begun another stretch, and the source knows of the same ended lives.
bool still_good(const store::DrainQuestion& asked, const store::DrainQuestion& fresh) {
  auto same_start = [](const LogPosition& a, const LogPosition& b) { return a.start == b.start; };
  return asked.start == fresh.start &&
         std::equal(asked.tables.begin(), asked.tables.end(), fresh.tables.begin(),
                    fresh.tables.end(), [&](const auto& a, const auto& b) {
                      return a.id == b.id && a.unsettled == b.unsettled &&
                             std::equal(a.ends.begin(), a.ends.end(), b.ends.begin(), b.ends.end(),
                                        same_start);
                    });
}

}  // namespace

Drains::Drains(Outside& outside, const History& history)
    : outside_(outside), history_(history), kept_(outside.nodes.size()) {}

// By what its clients were told, and by what it shows.
Drains::Owed Drains::held_by(std::size_t region) const {
  Owed out;
  for (const Write& write : history_.writes()) {
    if (write.region != region || write.state != WriteState::acknowledged) continue;
    auto& version = out[outside_.table_of(write.key_number)][key_of(write.key_number)];
    version = std::max(version, write.version);
  }
  for (const TableId& table : outside_.tables) {
    if (!node(region).store().catalog()->find(table)) continue;
    auto& held = out[table];
    node(region).reader().visit_rows(table, {}, std::nullopt, [&held](const store::RowView& row) {
      auto version = conflict::decode_version(row.version);
      auto& known = held[Bytes(row.key)];
      if (version) known = std::max(known, *version);
      return true;
    });
  }
  return out;
}

std::vector<TableId> Drains::shared_tables(const Drain& drain) const {
  std::vector<TableId> out;
  for (const TableId& table : outside_.tables) {
    auto info = node(drain.from).store().catalog()->find(table);
    if (info && info->has_replica(node(drain.from).region()) &&
        info->has_replica(node(drain.to).region()))
      out.push_back(table);
  }
  return out;
}

void Drains::ask(std::size_t from, std::size_t to, std::int64_t for_us,
                 std::function<void(bool)> done) {
  if (from == to || from >= outside_.nodes.size() || to >= outside_.nodes.size()) return;
  if (!node(from).up()) return;
  ++asked_;
  auto drain = std::make_shared<Drain>(Drain{from, to, outside_.queue.now_us() + for_us,
                                             held_by(from), std::move(done), {}, 0, false});
  outside_.trace.note("drain {} to {} is asked for", from, to);
  open_.push_back(drain);
  take_barrier(drain);
  look(drain);
}

// Also when the source has begun another run, or a log was renewed: nobody reaches barriers from before
// for certain.
void Drains::take_barrier(const DrainPtr& drain) {
  drain->renew_us = outside_.queue.now_us() + kAskAgainUs;
  SimNode& source = node(drain->from);
  auto tables = shared_tables(*drain);
  source.barrier(tables, [this, drain, tables](const rpc::Barrier& barrier) {
    if (drain->ended) return;
    auto fresh = store::drain_question(node(drain->from).region(), tables, barrier, {},
                                       node(drain->from).reader());
    if (!drain->question || !still_good(*drain->question, fresh))
      drain->question = std::move(fresh);
  });
}

void Drains::look(const DrainPtr& drain) {
  if (drain->ended) return;
  if (drain->question && node(drain->to).up() && answered(*drain)) return end(drain, true);
  if (outside_.queue.now_us() >= drain->until_us) return end(drain, false);
  SimNode& source = node(drain->from);
  if (source.up()) {
    bool another = !drain->question || drain->question->start != source.store().start_id();
    if (another || outside_.queue.now_us() >= drain->renew_us) take_barrier(drain);
  }
  outside_.queue.after(kPollUs, [this, drain] { look(drain); });
}

// (What the sink itself has forgotten the source knows of: it has read on in the sink's log.)
bool Drains::unheard(const Drain& drain, const TableId& table,
                     const conflict::Version& version) const {
  if (version.region == node(drain.to).region()) return false;
  auto forgotten = outside_.forgotten_lives.find({version.region, table});
  if (forgotten == outside_.forgotten_lives.end()) return false;
  if (node(drain.to).life_of(table, version.region) != forgotten->second) return false;
  for (const auto& asked : drain.question->tables)
    if (asked.id == table && asked.unsettled.contains(version.region)) return false;
  const Write* write = history_.find(version);
  return write != nullptr && write->origin_forgot;
}

bool Drains::answered(const Drain& drain) {
  SimNode& sink = node(drain.to);
  auto said = store::drain_answer(*drain.question, sink.region(), *sink.store().catalog(),
                                  sink.reader());
  bool all = !said.tables.empty();
  for (const auto& table : said.tables) {
    all = all && table.drained();
    if (!table.drained()) continue;
    auto owed = drain.owed.find(table.id);
    if (owed == drain.owed.end()) continue;
    Versions due = owed->second;
    std::erase_if(due, [&](const auto& each) {
      return unheard(drain, table.id, each.second);
    });
    check(drain.to, table.id, due, "says that it has");
    for (const auto& [key, version] : due) {
      auto& kept = kept_[drain.to][table.id][key];
      kept = std::max(kept, version);
    }
  }
  return all;
}

// (A key whose tombstone was collected counts as one of the horizon's version.)
void Drains::check(std::size_t region, const TableId& table, const Versions& owed,
                   const char* when) {
  store::Reader& reader = node(region).reader();
  conflict::Hlc collected = reader.collected(table);
  for (const auto& [key, version] : owed) {
    auto row = reader.get_row(table, key);
    bool there = row ? row->version >= version : version.hlc <= collected;
    if (!there)
      outside_.findings.add(
          "P16", fmt::format("region {} {} {} of key {} and holds {}", region, when,
                             conflict::to_text(version), history_.key_number(key).value_or(0),
                             row ? conflict::to_text(row->version) : "nothing"));
  }
}

void Drains::end(const DrainPtr& drain, bool yes) {
  outside_.trace.note("drain {} to {} ends, yes {}", drain->from, drain->to, yes);
  drain->ended = true;
  std::erase(open_, drain);
  if (yes) ++said_yes_;
  if (drain->done) drain->done(yes);
}

void Drains::region_forgot(std::size_t region) {
  kept_[region].clear();
  auto open = open_;
  for (const auto& drain : open)
    if (drain->from == region || drain->to == region) end(drain, false);
}

void Drains::check_kept(std::size_t region) {
  if (!node(region).up()) return;
  for (const auto& [table, versions] : kept_[region])
    if (node(region).store().catalog()->find(table))
      check(region, table, versions, "has said that it has");
}

}  // namespace meridian::sim
