#include "tests/sim/control_steps.h"

#include <fmt/format.h>

#include "tests/sim/history.h"

namespace meridian::sim {
namespace {

using store::ControlError;

constexpr const char* kName = "Scratch";
constexpr std::uint32_t kKey = 0;

bool is_write(ControlStep step) {
  return step == ControlStep::write || step == ControlStep::write_again ||
         step == ControlStep::remove;
}

}  // namespace

ControlSteps::ControlSteps(Outside& outside) : outside_(outside), scratch_(outside.nodes.size()) {}

void ControlSteps::bad(std::size_t region, const std::string& what) {
  outside_.findings.add("control", fmt::format("region {}: {}", region, what));
}

store::TablePtr ControlSteps::found(std::size_t region) const {
  return outside_.nodes[region]->store().catalog()->find(kName);
}

void ControlSteps::learn(std::size_t region) {
  Scratch& model = scratch_[region];
  auto table = found(region);
  model.known = true;
  model.there = table != nullptr;
  if (!table) return;
  model.table = table->id;
  model.streams = table->enabled_stream() != nullptr;
  model.guarded = table->deletion_protection;
  model.replicated = !table->peers(outside_.nodes[region]->region()).empty();
  auto changed =
      table->settings.changed_in(store::setting::kReadUnits, outside_.nodes[region]->region());
  model.minted = changed.region == outside_.nodes[region]->region();
  model.read_units = table->settings.number(store::setting::kReadUnits);
  auto row = outside_.nodes[region]->reader().get_row(table->id, key_of(kKey));
  model.image = row ? row->image : std::nullopt;
  model.owes = outside_.nodes[region]->reader().shard_span(table->id, ShardId(0)).end > Sequence(0);
}

void ControlSteps::run(std::size_t region, ControlStep step) {
  SimNode& node = *outside_.nodes[region];
  Scratch& model = scratch_[region];
  if (!node.up()) return;
  if (model.awaited && model.start == node.starts()) return;
  if (model.awaited || !model.known) learn(region);
  model.awaited = true;
  model.start = node.starts();
  ++steps_;
  outside_.trace.note("control {} step {}", region, static_cast<int>(step));
  if (is_write(step)) {
    write(region, step);
  } else {
    control(region, step);
  }
}

void ControlSteps::write(std::size_t region, ControlStep step) {
  auto kind = step == ControlStep::remove        ? WriteKind::remove
              : step == ControlStep::write_again ? WriteKind::same
                                                 : WriteKind::put;
  auto mutation = std::make_shared<ClientMutation>(static_cast<WriteId>(steps_), kind, kKey, 0);
  Scratch& model = scratch_[region];
  outside_.nodes[region]->write(
      model.table, key_of(kKey), mutation,
      [this, region, mutation](const store::WriteResult& result) {
        Scratch& now = scratch_[region];
        bool no_table = result.status == store::WriteStatus::no_such_table;
        now.awaited = false;
        now.known = false;
        if (result.status == store::WriteStatus::unavailable) return;
        if (no_table == now.there) bad(region, "a write finds another table than there is");
        now.known = no_table || result.status == store::WriteStatus::committed ||
                    result.status == store::WriteStatus::rejected;
        if (result.status != store::WriteStatus::committed) return;
        if (mutation->shown() != now.image) bad(region, "a write is shown another item");
        now.image = mutation->wanted();
        now.owes = now.owes || now.replicated || mutation->shown() != mutation->wanted();
      });
}

// What must come of a step; nothing for success.
std::optional<ControlError> ControlSteps::expected(const Scratch& model, ControlStep step) const {
  if (step == ControlStep::create)
    return model.there ? std::optional(ControlError::already_exists) : std::nullopt;
  if (!model.there) return ControlError::no_such_table;
  switch (step) {
    case ControlStep::enable_stream:
      return model.streams ? std::optional(ControlError::stream_enabled) : std::nullopt;
    case ControlStep::disable_stream:
      return model.streams ? std::nullopt : std::optional(ControlError::stream_disabled);
    case ControlStep::drop:
      if (model.guarded) return ControlError::protected_table;
      return model.replicated && model.owes ? std::optional(ControlError::not_drained)
                                            : std::nullopt;
    case ControlStep::drop_by_force:
      return model.guarded ? std::optional(ControlError::protected_table) : std::nullopt;
    default: return std::nullopt;
  }
}

void ControlSteps::done(Scratch& model, ControlStep step) {
  switch (step) {
    case ControlStep::create: model = {.table = model.table, .there = true, .image = {}}; return;
    case ControlStep::enable_stream: model.streams = true; return;
    case ControlStep::disable_stream: model.streams = false; return;
    case ControlStep::change_settings:
      ++model.read_units;
      model.minted = true;
      return;
    case ControlStep::merge_settings:
      if (!model.minted) model.read_units = model.merging;
      return;
    case ControlStep::protect: model.guarded = true; return;
    case ControlStep::unprotect: model.guarded = false; return;
    case ControlStep::add_replica:
    case ControlStep::merge_replicas: model.replicated = true; return;
    case ControlStep::drop:
    case ControlStep::drop_by_force: model.there = false; return;
    default: return;
  }
}

void ControlSteps::create(std::size_t region, const store::ControlDone& answer) {
  store::TableSpec spec;
  spec.name = kName;
  spec.keys = sim_schema();
  spec.shards = 1;
  outside_.nodes[region]->store().create_table(std::move(spec), answer);
}

void ControlSteps::control(std::size_t region, ControlStep step) {
  SimNode& node = *outside_.nodes[region];
  auto answer = node.hearing<store::ControlResult>([this, region, step](
                                                       const store::ControlResult& result) {
    Scratch& model = scratch_[region];
    model.awaited = false;
    model.known = false;
    if (!result.ok() && result.error() == ControlError::unavailable) return;
    auto wanted = expected(model, step);
    auto got = result.ok() ? std::nullopt : std::optional(result.error());
    if (got != wanted)
      bad(region, fmt::format("step {} answers {}, not {}", static_cast<int>(step),
                              got ? static_cast<int>(*got) : -1,
                              wanted ? static_cast<int>(*wanted) : -1));
    model.known = got == wanted;
    if (got) return;
    if (step == ControlStep::create) model.table = (*result)->id;
    done(model, step);
    bool of_settings =
        step == ControlStep::change_settings || step == ControlStep::merge_settings;
    if (of_settings && (*result)->settings.number(store::setting::kReadUnits) != model.read_units)
      bad(region, fmt::format("step {} leaves other settings", static_cast<int>(step)));
  });
  const Scratch& model = scratch_[region];
  RegionId other = outside_.nodes[(region + 1) % outside_.nodes.size()]->region();
  store::TableChange change;
  switch (step) {
    case ControlStep::create: create(region, answer); break;
    case ControlStep::drop: node.store().drop_table(model.table, false, answer); break;
    case ControlStep::drop_by_force: node.store().drop_table(model.table, true, answer); break;
    case ControlStep::add_replica:
      node.store().set_replica(model.table, other, true, answer);
      break;
    case ControlStep::merge_replicas:
      node.store().merge_replicas(model.table, {{other, {true, {conflict::Hlc{steps_}, other}}}},
                                  answer);
      break;
    case ControlStep::merge_settings: {
      scratch_[region].merging = static_cast<std::int64_t>(steps_);
      store::Settings theirs;
      theirs.set(std::string(store::setting::kReadUnits), std::to_string(steps_),
                 {conflict::Hlc{steps_}, other});
      node.store().merge_settings(model.table, std::move(theirs), answer);
      break;
    }
    case ControlStep::enable_stream:
      change.enable_stream = model::StreamViewType::KEYS_ONLY;
      break;
    case ControlStep::disable_stream: change.disable_stream = true; break;
    case ControlStep::protect: change.deletion_protection = true; break;
    case ControlStep::unprotect: change.deletion_protection = false; break;
    default:
      change.settings = {
          {std::string(store::setting::kReadUnits), std::to_string(model.read_units + 1)},
          {std::string(store::setting::kWriteUnits), "1"},
          {std::string(store::setting::kBillingMode), "PROVISIONED"}};
  }
  bool changes = step >= ControlStep::enable_stream && step <= ControlStep::unprotect;
  if (changes) node.store().change_table(model.table, change, answer);
  node.commit_soon();
}

void ControlSteps::judge() {
  for (std::size_t region = 0; region < scratch_.size(); ++region) {
    if (scratch_[region].awaited || !scratch_[region].known) continue;
    Scratch model = scratch_[region];
    learn(region);
    const Scratch& now = scratch_[region];
    if (now.there != model.there) {
      bad(region, model.there ? "the table is gone" : "the table is there again");
    } else if (now.there && (now.streams != model.streams || now.guarded != model.guarded ||
                             now.replicated != model.replicated ||
                             now.read_units != model.read_units || now.image != model.image)) {
      bad(region, "the table is not what was answered");
    }
  }
}

}  // namespace meridian::sim
