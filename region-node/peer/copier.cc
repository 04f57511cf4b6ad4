#include "region-node/peer/copier.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "region-node/peer/convert.h"
#include "rpc/codec.h"
#include "rpc/kj_log.h"

namespace meridian::peer {
namespace {

namespace wire = rpc::wire;

std::string describe(const copy::CopyProgress& progress) {
  std::string seed(progress.seed ? progress.seed->name() : "");
  std::string out;
  switch (progress.phase) {
    case copy::Phase::copying:
      out = fmt::format("Copying from {}: {} of about {} rows, {:.1f} MB/s", seed, progress.rows,
                        progress.rows_estimated, progress.bytes_per_s / 1e6);
      if (progress.seconds_left) out += fmt::format(", about {} s left", *progress.seconds_left);
      break;
    case copy::Phase::catching_up:
    case copy::Phase::finishing:
      out = fmt::format("Copied {} rows from {}, catching up", progress.rows, seed);
      break;
    default: out = "Telling the other replicas";
  }
  if (!progress.reason.empty()) out += ": " + progress.reason;
  return out;
}

}  // namespace

Copier::Copier(World world)
    : world_(std::move(world)),
      self_(world_.store.region()),
      reader_(world_.store.open_reader()),
      controls_(world_.mailbox),
      outcomes_(world_.mailbox),
      tasks_(*this) {}

Copier::~Copier() = default;

void Copier::start() { tasks_.add(rounds()); }

Copier::Step Copier::rounds() {
  return kj::evalNow([this]() -> kj::Promise<void> {
           round();
           failing_ = false;
           return kj::READY_NOW;
         })
      .catch_([this](kj::Exception&& failure) {
        // The first of a row of failures is news.
        if (!std::exchange(failing_, true))
          world_.log.warn("copy_round_failed", "reason=\"{}\"", rpc::describe(failure));
      })
      .then([this] { return world_.timer.afterDelay(kRoundMs * kj::MILLISECONDS); })
      .then([this] { return rounds(); });
}

void Copier::round() {
  auto catalog = world_.store.catalog();
  std::erase_if(copies_, [&](const auto& each) {
    bool gone = over(*each.second, catalog->find(each.first));
    if (gone) world_.board.forget(each.first, self_);
    return gone || each.second->failed;
  });
  for (const auto& [id, table] : catalog->by_id) {
    if (!table->is_copying(self_)) continue;
    auto at = copies_.find(id);
    if (at == copies_.end()) {
      begin(*table);
    } else {
      report(*table, *at->second);
    }
  }
}

// Whole, or dropped, or dropped and made again since the last look.
bool Copier::over(const Copy& copy, const store::TablePtr& table) const {
  return !table || !table->is_copying(self_) || table->replicas.at(self_).joined != copy.joined;
}

void Copier::begin(const store::TableInfo& table) {
  auto& copy = *(copies_[table.id] = kj::heap<Copy>(table.id, table.replicas.at(self_).joined,
                                                     self_, world_.limits));
  KJ_ON_SCOPE_FAILURE(copies_.erase(table.id));  // the next round begins it
  auto saved = reader_->cursor(table.id, copy::TableCopy::kCursor);
  auto beginnings = reader_->cursor(table.id, copy::TableCopy::kBeginnings);
  look(copy);
  copy.next = copy.core.start(saved, beginnings, now_ms());
  world_.log.info("copy_started", "table={} resumed={}", table.name, saved.has_value());
  copy.task = run(copy).eagerlyEvaluate([this, &copy](kj::Exception&& failure) {
    world_.log.error("copy_failed", "reason=\"{}\"", rpc::describe(failure));
    copy.failed = true;
  });
}

// Goes on until the replica is whole; round() takes it away, or it is dropped with the table.
Copier::Step Copier::run(Copy& copy) {
  if (copy.core.phase() == copy::Phase::whole) {
    auto progress = copy.core.progress(now_ms());
    world_.log.info("copy_finished", "table={} rows={} bytes={}", copy.id.hex(), progress.rows,
                    progress.bytes);
    return world_.membership.push_to_members(copy.id);
  }
  return kj::evalNow([this, &copy] {
           return std::visit([this, &copy](auto& one) { return perform(copy, one); }, copy.next);
         })
      .catch_([this, &copy](kj::Exception&& failure) {
        look(copy);
        copy.next = copy.core.on_failure(rpc::describe(failure), now_ms());
      })
      .then([this, &copy] { return run(copy); });
}

void Copier::look(Copy& copy) {
  std::vector<copy::Member> members;
  if (auto table = world_.store.catalog()->find(copy.id)) {
    std::map<RegionId, std::map<ShardId, LogPosition>> flows;
    for (const auto& [flow, position] : reader_->flow_positions(copy.id))
      flows[flow.first][flow.second] = position;
    for (const auto& region : table->peers(self_))
      members.push_back({region, table->is_whole(region),
                         world_.membership.reachable(region) != nullptr, flows[region]});
  }
  copy.core.set_members(std::move(members));
  copy.core.set_sharers(copies_.size());
}

rpc::Session& Copier::session_to(const RegionId& region) {
  auto* session = world_.membership.reachable(region);
  if (session == nullptr)
    kj::throwFatalException(KJ_EXCEPTION(
        DISCONNECTED, kj::str("region ", region.name().data(), " cannot be reached")));
  if (session->peer()->protocol < kCopyProtocol)
    kj::throwFatalException(KJ_EXCEPTION(
        FAILED, kj::str("the release of region ", region.name().data(), " fills no replicas")));
  return *session;
}

void Copier::report(const store::TableInfo& table, Copy& copy) {
  auto progress = copy.core.progress(now_ms());
  api::ReplicaProgress said{progress.percent,       describe(progress),
                            progress.rows,          progress.rows_estimated,
                            progress.bytes,         progress.rows_per_s,
                            progress.bytes_per_s};
  for (const auto& region : table.peers(self_)) {
    auto* session = world_.membership.reachable(region);
    if (session == nullptr || session->peer()->protocol < kCopyProtocol) continue;
    tasks_.add(session
                   ->call([&](wire::Region::Client& client) {
                     auto request = client.reportCopyRequest();
                     rpc::write_table_id(table.id, request.initTable());
                     request.setPercent(said.percent);
                     request.setText(said.text);
                     return kj::Promise<capnp::Response<wire::Region::ReportCopyResults>>(
                         request.send());
                   })
                   .then([](auto&&) {}, [](kj::Exception&&) {}));
  }
  world_.board.set(table.id, self_, std::move(said));
}

// ----------------------------------------------------------------------------------------- the steps

Copier::Step Copier::perform(Copy& copy, copy::Register& action) {
  auto table = world_.store.catalog()->find(copy.id);
  if (!table) return kj::NEVER_DONE;  // round() ends it
  return session_to(action.region)
      .call([&table](wire::Region::Client& client) {
        auto request = client.mergeTableRequest();
        rpc::write_definition(definition_of(*table), request.initTable());
        return kj::Promise<capnp::Response<wire::Region::MergeTableResults>>(request.send());
      })
      .then([this, &copy, table](capnp::Response<wire::Region::MergeTableResults>&& answer) {
        bool known = false;
        if (answer.getKnown()) {
          auto theirs = entries_of(rpc::read_definition(answer.getTable()));
          auto at = theirs.find(self_);
          known = at != theirs.end() && at->second == table->replicas.at(self_);
        }
        look(copy);
        copy.next = copy.core.on_registered(known, now_ms());
      });
}

Copier::Step Copier::perform(Copy& copy, copy::AskOffer& action) {
  rpc::OfferQuestion question{copy.id, std::move(action.flows), std::move(action.scanned)};
  return session_to(action.seed)
      .call([&question](wire::Region::Client& client) {
        auto request = client.offerCopyRequest();
        rpc::write_offer_question(question, request);
        return kj::Promise<capnp::Response<wire::Region::OfferCopyResults>>(request.send());
      })
      .then([this, &copy](capnp::Response<wire::Region::OfferCopyResults>&& answer) {
        auto offer = rpc::read_copy_offer(answer.getOffer());
        look(copy);
        copy.next = copy.core.on_offer(std::move(offer), now_ms());
      });
}

Copier::Step Copier::perform(Copy& copy, copy::Begin& action) {
  store::CopyStep step;
  step.kind = store::CopyStep::Kind::begin;
  step.stands = std::move(action.stands);
  step.cursors = {{copy::TableCopy::kCursor, std::move(action.cursor)},
                  {copy::TableCopy::kBeginnings, std::move(action.beginnings)}};
  return store_step(copy.id, std::move(step)).then([this, &copy](Controlled result) {
    look(copy);
    copy.next = copy.core.on_begun(result.ok, now_ms());
  });
}

Copier::Step Copier::perform(Copy& copy, copy::ReadRows& action) {
  rpc::RowsRead read{copy.id, std::move(action.after), std::nullopt, action.rows_max,
                     action.bytes_max};
  return session_to(action.seed)
      .call([&read](wire::Region::Client& client) {
        auto request = client.readRowsRequest();
        rpc::write_rows_read(read, request.initRead());
        return kj::Promise<capnp::Response<wire::Region::ReadRowsResults>>(request.send());
      })
      .then([this, &copy](capnp::Response<wire::Region::ReadRowsResults>&& answer) {
        auto page = rpc::read_rows_page(answer.getPage());
        look(copy);
        copy.next = copy.core.on_page(std::move(page), now_ms());
      });
}

Copier::Step Copier::perform(Copy& copy, copy::ApplyRows& action) {
  auto pending = outcomes_.open();
  rpc::RowsBatch batch{copy.id, action.seed, std::move(action.rows), std::move(action.cursor)};
  world_.store.apply_rows(
      std::move(batch),
      [answer = std::move(pending.answer)](const rpc::RowsOutcome& outcome) { answer(outcome); });
  return pending.promise.then([this, &copy](rpc::RowsOutcome outcome) {
    look(copy);
    copy.next = copy.core.on_applied(outcome, now_ms());
  });
}

Copier::Step Copier::perform(Copy& copy, copy::LookAtFlows& action) {
  auto table = world_.store.catalog()->find(copy.id);
  bool there = true;
  for (const auto& stand : action.stands) {
    bool in_reach = stand.source == action.seed ||
                    world_.membership.reachable(stand.source) != nullptr;
    bool matters = table && table->has_replica(stand.source) && stand.source != self_ && in_reach;
    if (!matters) continue;
    auto position = reader_->flow_position({copy.id, stand.shard, stand.source});
    there = there && position.sequence >= stand.position.sequence;
  }
  look(copy);
  copy.next = copy.core.on_flows(there, now_ms());
  return kj::READY_NOW;
}

Copier::Step Copier::perform(Copy& copy, copy::Finish& action) {
  return store_step(copy.id, {store::CopyStep::Kind::finish, {}, {}, action.collected,
                              std::move(action.watermarks), std::move(action.unsettled)})
      .then([this, &copy](Controlled result) {
        look(copy);
        copy.next = copy.core.on_finished(result.ok, now_ms());
      });
}

Copier::Step Copier::perform(Copy& copy, copy::Wait& action) {
  auto wait_ms = std::max<std::int64_t>(action.until_ms - now_ms(), 1);
  return world_.timer.afterDelay(wait_ms * kj::MILLISECONDS).then([this, &copy] {
    look(copy);
    copy.next = copy.core.on_timer(now_ms());
  });
}

kj::Promise<Controlled> Copier::store_step(const TableId& id, store::CopyStep step) {
  auto pending = controls_.open();
  world_.store.copy_step(id, std::move(step), controlled(std::move(pending.answer)));
  return kj::mv(pending.promise);
}

void Copier::taskFailed(kj::Exception&& failure) {
  world_.log.error("copier_task_failed", "reason=\"{}\"", rpc::describe(failure));
}

}  // namespace meridian::peer
