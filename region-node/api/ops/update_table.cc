#include <memory>
#include <vector>

#include "region-node/api/ops/ops.h"
#include "region-node/api/ops/replica_updates.h"
#include "region-node/api/ops/table_params.h"
#include "region-node/api/request.h"
#include "region-node/api/write_outcome.h"

namespace meridian::api::ops {
namespace {

void check_stream_change(const StreamChange& stream, const store::TableInfo& table,
                         const RegionId& self, Problems& problems) {
  if (!stream.given) return;
  bool global = !table.peers(self).empty();
  if (stream.view && table.enabled_stream()) {
    problems.report(
        ApiError::validation("Table already has an enabled stream: TableName: " + table.name));
  } else if (!stream.view && !table.enabled_stream()) {
    problems.report(
        ApiError::validation("Table has no stream to disable: TableName: " + table.name));
  } else if (!stream.view && global) {
    problems.report(ApiError::validation(
        "One or more parameter values were invalid: Disabling Stream is not allowed for a Global "
        "Table replica."));
  }
}

// One UpdateTable under way: a change of settings, then the replicas one after another.
class TableUpdate : public std::enable_shared_from_this<TableUpdate> {
 public:
  TableUpdate(const Services& services, store::TablePtr table, std::vector<ReplicaUpdate> replicas,
              Reply reply)
      : services_(services),
        table_(std::move(table)),
        replicas_(std::move(replicas)),
        reply_(std::move(reply)) {}

  void start(store::TableChange change, bool has_change) {
    // A table becomes global with a stream, as on AWS; one that has a stream keeps its view type.
    if (makes_global(replicas_) && !table_->enabled_stream() && !change.enable_stream) {
      change.enable_stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
      stream_was_ours_ = true;
      has_change = true;
    }
    if (!has_change) return next_replica();
    services_.store.change_table(
        table_->id, change, [self = shared_from_this()](store::ControlResult result) {
          if (!result) return self->reply_(Err(control_error(result.error(), self->table_->name)));
          self->table_ = std::move(*result);
          if (!self->table_->peers(self->services_.store.region()).empty())
            self->services_.replicas.announce(self->table_->id);
          self->next_replica();
        });
  }

 private:
  void next_replica() {
    if (at_ == replicas_.size()) return finish();
    const auto& update = replicas_[at_++];
    auto done = [self = shared_from_this()](Result<void, ApiError> result) {
      if (result) return self->next_replica();
      self->fail(std::move(result).error());
    };
    if (update.action == ReplicaUpdate::Action::update)
      next_replica();  // a change of settings, which has been made
    else if (update.action == ReplicaUpdate::Action::create)
      services_.replicas.create_replica(table_, update.region, std::move(done));
    else
      services_.replicas.delete_replica(table_, update.region, std::move(done));
  }

  store::TablePtr current() const {
    auto now = services_.store.catalog()->find(table_->id);
    return now ? now : table_;
  }

  void finish() { reply_(table_answer(services_, *current(), "UPDATING")); }

  // A stream that was enabled only for the replicas is taken back when there are none.
  void fail(ApiError error) {
    bool still_alone = current()->peers(services_.store.region()).empty();
    if (!stream_was_ours_ || !still_alone) return reply_(Err(std::move(error)));
    store::TableChange undo;
    undo.disable_stream = true;
    services_.store.change_table(table_->id, undo,
                                 [self = shared_from_this(), error](const store::ControlResult&) {
                                   self->reply_(Err(error));
                                 });
  }

  const Services& services_;
  store::TablePtr table_;
  const std::vector<ReplicaUpdate> replicas_;
  const Reply reply_;
  std::size_t at_ = 0;
  bool stream_was_ours_ = false;
};

struct Units {
  std::int64_t read = 0;
  std::int64_t write = 0;
};

std::string unchanged_units(const Units& now) {
  auto told = [](const char* kind, std::int64_t units) {
    std::string number = std::to_string(units);
    return std::string("Current ") + kind + "CapacityUnits provisioned for the table: " + number +
           ". Requested " + kind + "CapacityUnits: " + number + ". ";
  };
  return "The provisioned throughput for the table will not change. The requested value equals the "
         "current value. " +
         told("Read", now.read) + told("Write", now.write) +
         "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request "
         "higher limits.";
}

void apply_billing(const Billing& billing, const store::TableInfo& table, const RegionId& self,
                   SettingValues& settings, Problems& problems) {
  namespace setting = store::setting;
  auto set = [&settings](std::string_view name, std::string value) {
    settings.insert_or_assign(std::string(name), std::move(value));
  };
  if (billing.mode) set(setting::kBillingMode, *billing.mode);
  if (billing.read_units) set(setting::kReadUnits, std::to_string(*billing.read_units));
  if (billing.write_units) set(setting::kWriteUnits, std::to_string(*billing.write_units));
  bool per_request = billing.mode ? *billing.mode == "PAY_PER_REQUEST" : table.on_demand();
  if (per_request && billing.read_units) {
    problems.report(ApiError::validation(
        "One or more parameter values were invalid: Neither ReadCapacityUnits nor "
        "WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"));
  }
  if (billing.mode == "PROVISIONED" && table.on_demand() && !billing.read_units) {
    problems.report(ApiError::validation(
        "One or more parameter values were invalid: ProvisionedThroughput must be specified when "
        "BillingMode is PROVISIONED"));
  }
  Units now{table.settings.number_in(setting::kReadUnits, self),
            table.settings.number(setting::kWriteUnits)};
  bool unchanged = !table.on_demand() && billing.read_units == now.read &&
                   billing.write_units == now.write;
  if (!per_request && unchanged) problems.report(ApiError::validation(unchanged_units(now)));
}

// Only eventual consistency among regions is there; it is said when a table becomes global.
void check_consistency(const JsonObject& input, const std::vector<ReplicaUpdate>& replicas,
                       Constraints& constraints, Problems& problems) {
  auto consistency = input.get("MultiRegionConsistency").text(problems);
  constraints.one_of(consistency, "multiRegionConsistency", {"EVENTUAL", "STRONG"});
  if (consistency && !makes_global(replicas)) {
    problems.report(ApiError::validation(
        "Only Replica Create actions are supported when MultiRegionConsistency parameter is "
        "provided."));
  }
  if (consistency == "STRONG") {
    problems.report(ApiError::validation(
        "One or more parameter values were invalid: MultiRegionConsistency STRONG is not supported "
        "yet"));
  }
}

}  // namespace

void update_table(const Call& call, Reply reply) {
  const auto& input = call.input;
  Problems problems;
  Constraints constraints;
  auto name = read_table_name(call, constraints, problems);
  auto billing = read_billing(input, constraints, problems);
  auto stream = read_stream_specification(input, constraints, problems);
  auto protection = input.get("DeletionProtectionEnabled").boolean(problems);
  auto self = call.services.store.region();
  store::TableChange change;
  change.settings = read_settings(input, self, constraints, problems);
  auto replicas = read_replica_updates(input, constraints, problems);
  check_consistency(input, replicas, constraints, problems);
  constraints.finish(problems);
  refuse_members(input, {"GlobalSecondaryIndexUpdates", "GlobalTableWitnessUpdates"}, problems);
  if (problems.any()) return reply(Err(problems.take()));
  bool has_change = billing.mode || billing.read_units || stream.given || protection ||
                    !change.settings.empty();
  if (!replicas.empty() && has_change) {
    return reply(
        Err(ApiError::validation("One or more parameter values were invalid: Replica modification "
                                 "must be the only operation in the request")));
  }
  if (!has_change && replicas.empty()) {
    return reply(Err(ApiError::validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
        "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")));
  }
  auto table = find_named_table(call.services, name);
  if (!table) return reply(Err(std::move(table.error())));
  if (auto refused = refuse_while_created(call.services, **table)) return reply(Err(*refused));
  apply_billing(billing, **table, self, change.settings, problems);
  check_request_units(change.settings,
                      billing.mode.value_or(std::string((*table)->settings.text(
                          store::setting::kBillingMode))),
                      problems);
  check_stream_change(stream, **table, self, problems);
  check_replica_updates(replicas, **table, self, problems);
  if (input.get("MultiRegionConsistency").present() && !(*table)->peers(self).empty())
    problems.report(
        ApiError::validation("MultiRegionConsistency parameter is unsupported on existing global "
                             "table"));
  if (problems.any()) return reply(Err(problems.take()));
  change.deletion_protection = protection;
  change.enable_stream = stream.view;
  change.disable_stream = stream.given && !stream.view;
  if (!replicas.empty()) change.settings = override_changes(replicas, **table);
  has_change = has_change || !change.settings.empty();
  std::make_shared<TableUpdate>(call.services, std::move(*table), std::move(replicas),
                                std::move(reply))
      ->start(std::move(change), has_change);
}

}  // namespace meridian::api::ops
