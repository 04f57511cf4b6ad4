#include "region-node/peer/control.h"

#include <fmt/format.h>
#include <kj/debug.h>

#include "region-node/api/error.h"
#include "region-node/peer/convert.h"
#include "region-node/peer/copier.h"
#include "region-node/peer/refusals.h"
#include "rpc/codec.h"
#include "rpc/kj_log.h"

namespace meridian::peer {
namespace {

using api::ApiError;

constexpr const char* kLocalRegion =
    "Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, "
    "DeleteTable, or UpdateTable as required.";
constexpr const char* kNotPartOfTable =
    "Update global table operation failed because one or more replicas were not part of the global "
    "table.";
constexpr const char* kUnreachable = "The region {} cannot be reached at present.";

// Answers the request and ends the chain of steps.
[[noreturn]] void refuse(const AnswerPtr& answer, ApiError error) {
  answer->give(Err(std::move(error)));
  kj::throwFatalException(KJ_EXCEPTION(FAILED, "refused"));
}

ApiError error_of(const rpc::Refusal& refusal) {
  if (refusal.type == "ValidationException") return ApiError::validation(refusal.message);
  if (refusal.type == "ResourceInUseException") return ApiError::resource_in_use(refusal.message);
  if (refusal.type == "LimitExceededException") return ApiError::limit_exceeded(refusal.message);
  return ApiError::unavailable(refusal.message);
}

ApiError unknown_region(const RegionId& region, const Membership& membership) {
  std::string known;
  for (const auto& link : membership.links()) {
    if (!known.empty()) known += ", ";
    known += link.region.name();
  }
  return ApiError::validation(
      fmt::format("Region {} is not supported. The latest version of global tables are only "
                  "supported in the following regions: [{}]",
                  region.name(), known));
}

rpc::Refusal refusal_in(capnp::Text::Reader type, capnp::Text::Reader message) {
  if (type.size() > rpc::kErrorBytesMax || message.size() > rpc::kErrorBytesMax)
    throw rpc::CodecError("malformed message: error text too long");
  return {{type.cStr(), type.size()}, {message.cStr(), message.size()}};
}

}  // namespace

Answer::~Answer() {
  if (done_) done_(Err(ApiError::unavailable("The node is shutting down.")));
}

void Answer::give(Result<void, api::ApiError> result) {
  if (!done_) return;
  auto done = std::exchange(done_, nullptr);
  done(std::move(result));
}

Control::Control(store::Store& store, Membership& membership, kj::Timer& timer,
                 std::shared_ptr<rpc::KjMailbox> mailbox, Logger log)
    : store_(store),
      membership_(membership),
      timer_(timer),
      log_(std::move(log)),
      self_(store.region()),
      reader_(store.open_reader()),
      controls_(std::move(mailbox)),
      tasks_(*this) {}

template <typename Steps>
void Control::change(const store::TablePtr& table, AnswerPtr answer, Steps&& steps) {
  if (!changing_.insert(table->id).second) {
    answer->give(Err(ApiError::resource_in_use(fmt::format(
        "Attempt to change a resource which is still in use: Table is being updated: {}",
        table->name))));
    return;
  }
  tasks_.add(kj::evalNow(kj::fwd<Steps>(steps))
                 .then([answer] { answer->give({}); })
                 .catch_([answer](kj::Exception&& failure) {
                   // Only the first word counts: a refusal has been given already.
                   answer->give(Err(ApiError::unavailable(
                       fmt::format("The regions could not agree: {}", rpc::describe(failure)))));
                 })
                 .then([this, id = table->id] {
                   changing_.erase(id);
                   removing_.erase(id);
                 }));
}

// ------------------------------------------------------------------------------------------- create

void Control::create_replica(store::TablePtr table, RegionId region, AnswerPtr answer) {
  change(table, answer, [this, table, region, answer] {
    auto id = table->id;
    return check_creation(*table, region, answer)
        .then([this, id, answer] { return enable_stream(id, answer); })
        .then([this, id, region, answer] {
          return fresh(id) ? create_whole(id, region, answer) : create_copy(id, region, answer);
        })
        .then([this, name = table->name, region] {
          log_.info("replica_added", "table={} region={}", name, region.name());
        });
  });
}

// Nothing was ever written: whoever reads the logs from their beginning has everything.
bool Control::fresh(const TableId& id) {
  auto table = store_.catalog()->find(id);
  if (!table) return false;
  for (std::uint16_t shard = 0; shard < table->shards; ++shard)
    if (reader_->shard_span(id, ShardId(shard)).end.value > 0) return false;
  auto stats = reader_->stats(id);
  return stats.items == 0 && stats.tombstones == 0;
}

Control::Step Control::create_whole(const TableId& id, const RegionId& region,
                                    const AnswerPtr& answer) {
  return ask_creation(id, region, false, answer).then([this, id, region, answer] {
    return join(id, region, answer);
  });
}

// The region makes its replica, which says of itself that it is to be filled, and fills it.
Control::Step Control::create_copy(const TableId& id, const RegionId& region,
                                   const AnswerPtr& answer) {
  auto table = store_.catalog()->find(id);
  if (!table) refuse(answer, ApiError::resource_not_found());
  // A node of the release before would take a replica that is being filled for a whole one.
  auto regions = table->peers(self_);
  regions.push_back(region);
  for (const auto& each : regions) {
    auto* session = membership_.reachable(each);
    if (session != nullptr && session->peer()->protocol < kCopyProtocol)
      refuse(answer, ApiError::unavailable(fmt::format(
                         "Region {} runs a release that cannot fill replicas: upgrade it first.",
                         each.name())));
  }
  Step own = kj::READY_NOW;
  if (!table->has_replica(self_)) own = set_member(id, self_, true, answer);
  return own.then([this, id, region, answer] { return ask_creation(id, region, true, answer); })
      .then([this, id, region] { return membership_.push(region, id); })
      .then([this, id, region, answer](bool) {
        auto now = store_.catalog()->find(id);
        if (!now || !now->has_replica(region))
          refuse(answer, ApiError::unavailable(fmt::format(kUnreachable, region.name())));
        return membership_.push_to_members(id);
      });
}

Control::Step Control::check_creation(const store::TableInfo& table, const RegionId& region,
                                      const AnswerPtr& answer) {
  if (region == self_) refuse(answer, ApiError::validation(kLocalRegion));
  if (table.has_replica(region))
    refuse(answer, error_of(create_refusal(store::ControlError::already_exists, table.name)));
  if (!membership_.configured(region)) refuse(answer, unknown_region(region, membership_));
  reach(region, answer);
  return kj::READY_NOW;
}

rpc::Session& Control::reach(const RegionId& region, const AnswerPtr& answer) {
  auto* session = membership_.reachable(region);
  if (session == nullptr)
    refuse(answer, ApiError::unavailable(fmt::format(kUnreachable, region.name())));
  return *session;
}

Control::Step Control::enable_stream(const TableId& id, const AnswerPtr& answer) {
  auto table = store_.catalog()->find(id);
  if (!table) refuse(answer, ApiError::resource_not_found());
  if (table->enabled_stream() != nullptr) return kj::READY_NOW;
  store::TableChange change;
  change.enable_stream = model::StreamViewType::NEW_AND_OLD_IMAGES;
  auto pending = controls_.open();
  store_.change_table(id, change, controlled(std::move(pending.answer)));
  return pending.promise.then([answer](Controlled result) {
    if (!result.ok && result.error != store::ControlError::stream_enabled)
      refuse(answer,
             ApiError::unavailable("The stream of the table cannot be enabled at present."));
  });
}

Control::Step Control::ask_creation(const TableId& id, const RegionId& region, bool copy,
                                    const AnswerPtr& answer) {
  auto table = store_.catalog()->find(id);
  if (!table) refuse(answer, ApiError::resource_not_found());
  return reach(region, answer)
      .call([&table, copy](rpc::wire::Region::Client& client) {
        auto request = client.createReplicaRequest();
        request.setCopy(copy);
        rpc::write_definition(definition_of(*table), request.initTable());
        return kj::Promise<capnp::Response<rpc::wire::Region::CreateReplicaResults>>(
            request.send());
      })
      .then([answer](capnp::Response<rpc::wire::Region::CreateReplicaResults>&& results) {
        auto refusal = refusal_in(results.getErrorType(), results.getErrorMessage());
        if (!refusal.type.empty()) refuse(answer, error_of(refusal));
      });
}

Control::Step Control::join(const TableId& id, const RegionId& region, const AnswerPtr& answer) {
  auto table = store_.catalog()->find(id);
  if (!table) refuse(answer, ApiError::resource_not_found());
  Step own = kj::READY_NOW;
  if (!table->has_replica(self_)) own = set_member(id, self_, true, answer);
  return own.then([this, id, region, answer] { return set_member(id, region, true, answer); })
      .then([this, id] { return membership_.push_to_members(id); });
}

// ------------------------------------------------------------------------------------------- delete

void Control::delete_replica(store::TablePtr table, RegionId region, AnswerPtr answer) {
  change(table, answer, [this, table, region, answer]() -> Step {
    if (region == self_) refuse(answer, ApiError::validation(kLocalRegion));
    if (!table->has_replica(region)) refuse(answer, ApiError::validation(kNotPartOfTable));
    auto id = table->id;
    removing_.insert(id);
    return ask_drop(id, region, answer)
        .then([this, id, region, answer] { return leave(id, region, answer); })
        .then([this, name = table->name, region] {
          log_.info("replica_removed", "table={} region={}", name, region.name());
        });
  });
}

Control::Step Control::ask_drop(const TableId& id, const RegionId& region,
                                const AnswerPtr& answer) {
  return reach(region, answer)
      .call(
          [&id](rpc::wire::Region::Client& client) {
            auto request = client.dropReplicaRequest();
            rpc::write_table_id(id, request.initId());
            return kj::Promise<capnp::Response<rpc::wire::Region::DropReplicaResults>>(
                request.send());
          },
          kDrainMsMax)
      .then([answer](capnp::Response<rpc::wire::Region::DropReplicaResults>&& results) {
        auto refusal = refusal_in(results.getErrorType(), results.getErrorMessage());
        if (!refusal.type.empty()) refuse(answer, error_of(refusal));
      });
}

Control::Step Control::leave(const TableId& id, const RegionId& region, const AnswerPtr& answer) {
  return set_member(id, region, false, answer).then([this, id, answer] {
    return leave_alone(id, answer);
  });
}

// Without its last peer it is a table of one region again.
Control::Step Control::leave_alone(const TableId& id, const AnswerPtr& answer) {
  auto table = store_.catalog()->find(id);
  bool alone = table && table->has_replica(self_) && table->peers(self_).empty();
  if (alone) return set_member(id, self_, false, answer);
  return membership_.push_to_members(id);
}

void Control::expel_replica(store::TablePtr table, RegionId region, AnswerPtr answer) {
  change(table, answer, [this, table, region, answer]() -> Step {
    if (region == self_) refuse(answer, ApiError::validation(kLocalRegion));
    if (!table->has_replica(region)) refuse(answer, ApiError::validation(kNotPartOfTable));
    if (!table->is_whole(self_))
      refuse(answer, ApiError::resource_in_use("This region does not hold the whole table."));
    if (membership_.reachable(region) != nullptr)
      refuse(answer, ApiError::resource_in_use(fmt::format(
                         "Region {} answers: remove its replica without force.", region.name())));
    auto id = table->id;
    return note_expelled(id, region, answer)
        .then([this, id, answer] { return leave_alone(id, answer); })
        .then([this, name = table->name, region] {
          log_.warn("replica_expelled", "table={} region={}", name, region.name());
        });
  });
}

Control::Step Control::note_expelled(const TableId& id, const RegionId& region,
                                     const AnswerPtr& answer) {
  auto entry = store_.catalog()->find(id)->replicas.at(region);
  entry.present = false;
  entry.copying = false;
  entry.expelled = true;
  entry.changed = {entry.changed.hlc.next(), self_};
  auto pending = controls_.open();
  store_.merge_replicas(id, {{region, entry}}, controlled(std::move(pending.answer)));
  return pending.promise.then([answer](Controlled result) {
    if (!result.ok)
      refuse(answer,
             ApiError::unavailable("The membership of the table cannot be stored at present."));
  });
}

kj::Promise<rpc::Refusal> Control::drop_replica(TableId id) {
  auto table = store_.catalog()->find(id);
  if (!table) return rpc::Refusal{};
  if (removing_.count(id) != 0 || changing_.count(id) != 0)
    return in_use_refusal(
        fmt::format("Table '{}' is being changed in region {}.", table->name, self_.name()));
  log_.info("replica_drop_asked", "table={}", table->name);
  return drop_when_drained(id, timer_.now() + kDrainMsMax * kj::MILLISECONDS)
      .then([name = table->name](Controlled result) {
        bool gone = result.ok || result.error == store::ControlError::no_such_table;
        return gone ? rpc::Refusal{} : drop_refusal(result.error, name);
      });
}

// --------------------------------------------------------------------------------------- DeleteTable

void Control::drop_table(store::TablePtr table, AnswerPtr answer) {
  change(table, answer, [this, table, answer]() -> Step {
    auto current = store_.catalog()->find(table->id);
    if (!current) refuse(answer, ApiError::resource_not_found());
    // What a fenced region holds is on nobody's account any more.
    bool fenced = current->is_fenced(self_);
    if (!fenced && !current->peers(self_).empty()) return leave_and_drop(current, answer);
    return drop_local(table->id, true).then([answer](Controlled result) {
      if (!result.ok)
        refuse(answer, ApiError::unavailable("The table cannot be deleted at present."));
    });
  });
}

Control::Step Control::leave_and_drop(const store::TablePtr& table, const AnswerPtr& answer) {
  auto id = table->id;
  auto in_use = error_of(drop_refusal(store::ControlError::not_drained, table->name));
  return drained(id, timer_.now() + kDrainMsMax * kj::MILLISECONDS)
      .then([this, id, answer, in_use](bool yes) {
        if (!yes) refuse(answer, in_use);
        return set_member(id, self_, false, answer);
      })
      .then([this, id] { return membership_.push_to_members(id); })
      .then([this, id] { return drop_local(id, false); })
      .then([this, id, answer, in_use](Controlled result) -> Step {
        if (result.ok) return kj::READY_NOW;
        // A write slipped in after the look: stay a member, and let the client try again.
        return set_member(id, self_, true, answer)
            .then([this, id] { return membership_.push_to_members(id); })
            .then([answer, in_use] { refuse(answer, in_use); });
      });
}

kj::Promise<bool> Control::drained(const TableId& id, kj::TimePoint deadline) {
  auto table = store_.catalog()->find(id);
  if (!table) return true;
  for (const auto& sink : table->peers(self_)) {
    if (table->repairs.count(sink) != 0) continue;
    std::uint64_t pending = 0;
    for (std::uint16_t shard = 0; shard < table->shards; ++shard)
      pending += reader_->backlog(id, ShardId(shard), sink).pending_records;
    if (pending == 0) return true;
  }
  if (timer_.now() >= deadline) return false;
  return timer_.afterDelay(kDrainPollMs * kj::MILLISECONDS).then([this, id, deadline] {
    return drained(id, deadline);
  });
}

// -------------------------------------------------------------------------------------- store's steps

Control::Step Control::set_member(const TableId& id, const RegionId& region, bool present,
                                  const AnswerPtr& answer) {
  return set_replica(id, region, present).then([answer](Controlled result) {
    if (!result.ok)
      refuse(answer,
             ApiError::unavailable("The membership of the table cannot be stored at present."));
  });
}

kj::Promise<Controlled> Control::set_replica(const TableId& id, const RegionId& region,
                                             bool present) {
  auto pending = controls_.open();
  store_.set_replica(id, region, present, controlled(std::move(pending.answer)));
  return kj::mv(pending.promise);
}

kj::Promise<Controlled> Control::drop_local(const TableId& id, bool force) {
  auto pending = controls_.open();
  store_.drop_table(id, force, controlled(std::move(pending.answer)));
  return kj::mv(pending.promise);
}

kj::Promise<Controlled> Control::drop_when_drained(const TableId& id, kj::TimePoint deadline) {
  return drop_local(id, false).then([this, id,
                                     deadline](Controlled result) -> kj::Promise<Controlled> {
    bool wait =
        !result.ok && result.error == store::ControlError::not_drained && timer_.now() < deadline;
    if (!wait) return result;
    return timer_.afterDelay(kDrainPollMs * kj::MILLISECONDS).then([this, id, deadline] {
      return drop_when_drained(id, deadline);
    });
  });
}

void Control::taskFailed(kj::Exception&& failure) {
  log_.error("control_task_failed", "reason=\"{}\"", rpc::describe(failure));
}

}  // namespace meridian::peer
