#include "region-node/peer/repair_run.h"

#include <fmt/format.h>
#include <kj/debug.h>

#include <algorithm>
#include <utility>

#include "region-node/repair/positions.h"
#include "rpc/codec_repair.h"

namespace meridian::peer {
namespace {

// A digest of a page of segments reads many rows on the other side.
constexpr std::int64_t kReadingMsMax = 60'000;
constexpr std::int64_t kRetryMs = 250;
// Longer, and other tables and peers have their turn before it is tried again.
constexpr auto kNothingAppliedMax = 10 * kj::SECONDS;

[[noreturn]] void give_up(const std::string& why) {
  kj::throwFatalException(kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
                                        kj::str(why.c_str())));
}

void add(repair::SessionFigures& sum, const repair::SessionFigures& walk) {
  sum.rows_compared += walk.rows_compared;
  sum.spans_differing += walk.spans_differing;
  sum.differing += walk.differing;
  sum.in_flight += walk.in_flight;
  sum.in_flight_origins.insert(walk.in_flight_origins.begin(), walk.in_flight_origins.end());
  sum.fetched += walk.fetched;
  sum.sent += walk.sent;
  sum.dropped_here += walk.dropped_here;
  sum.dropped_there += walk.dropped_there;
  sum.stale += walk.stale;
  sum.skipped += walk.skipped;
}

}  // namespace

RepairRun::RepairRun(World world, store::TablePtr table, RegionId peer, repair::Purpose purpose,
                     std::uint64_t rows_per_second)
    : world_(std::move(world)),
      table_(std::move(table)),
      peer_(peer),
      self_(world_.store.region()),
      purpose_(purpose),
      rows_per_second_(rows_per_second),
      changes_(world_.mailbox),
      outcomes_(world_.mailbox) {}

template <typename Answer>
kj::Promise<Answer> RepairRun::ask(rpc::RepairRequest request) {
  using Response = capnp::Response<rpc::wire::Region::RepairResults>;
  return world_.session
      .call(
          [this, &request](rpc::wire::Region::Client& client) {
            auto call = client.repairRequest(rpc::size_hint(request));
            rpc::write_repair_request(request, call.initRequest());
            figures_.bytes += call.totalSize().wordCount * sizeof(capnp::word);
            ++figures_.calls;
            return kj::Promise<Response>(call.send());
          },
          kReadingMsMax)
      .then([this](Response&& response) -> Answer {
        figures_.bytes += response.totalSize().wordCount * sizeof(capnp::word);
        auto answer = rpc::read_repair_answer(response.getAnswer());
        auto* right = std::get_if<Answer>(&answer);
        if (right == nullptr) give_up("the region answered another question");
        return std::move(*right);
      });
}

kj::Promise<RepairRun::Changed> RepairRun::change(store::RepairChange change) {
  change.table = table_->id;
  change.peer = peer_;
  auto pending = changes_.open();
  world_.store.change_repair(std::move(change), std::move(pending.answer));
  return kj::mv(pending.promise);
}

// ------------------------------------------------------------------------------------ begin and end

kj::Promise<RunFigures> RepairRun::start() {
  auto walked = purpose_ == repair::Purpose::compare ? compare() : mend();
  return walked.then([this]() -> RunFigures { return figures_; });
}

kj::Promise<void> RepairRun::compare() {
  return learn_facts().then([this] { return walk(); });
}

kj::Promise<void> RepairRun::mend() {
  return ask<rpc::StateAnswer>(rpc::StateRequest{table_->id, table_->shards})
      .then([this](rpc::StateAnswer state) { return begin(state.shards); })
      .then([this]() -> kj::Promise<void> {
        if (figures_.busy) return kj::READY_NOW;
        return walk().then([this] { return finish(); });
      });
}

kj::Promise<void> RepairRun::learn_facts() {
  return ask<rpc::StateAnswer>(rpc::StateRequest{table_->id, table_->shards})
      .then([this](rpc::StateAnswer state) {
        if (state.status != rpc::ReadStatus::ok) give_up("the region has no such table");
        facts_there_ = std::move(state.facts);
        return facts_here();
      })
      .then([this](rpc::ReplicaFacts facts) { facts_here_ = std::move(facts); });
}

// By the membership as it is now.
kj::Promise<rpc::ReplicaFacts> RepairRun::facts_here() {
  auto table = world_.store.catalog()->find(table_->id);
  if (!table) give_up("the table is gone");
  return world_.rows.read([table, purpose = purpose_](store::Reader& reader) {
    return purpose == repair::Purpose::repair ? repair::repair_facts_at(reader, *table)
                                              : repair::facts_at(reader, *table);
  });
}

kj::Promise<void> RepairRun::begin(std::uint16_t shards_there) {
  return world_.rows
      .read([id = table_->id, peer = peer_, shards_there](store::Reader& reader) {
        return repair::positions_at(reader, id, peer, shards_there);
      })
      .then([this](std::vector<LogPosition> positions) {
        return ask<rpc::BeginAnswer>(
            rpc::BeginRequest{table_->id, table_->shards, std::move(positions)});
      })
      .then([this](rpc::BeginAnswer answer) -> kj::Promise<void> {
        if (answer.status != rpc::ReadStatus::ok) give_up("the region cannot be repaired now");
        figures_.busy = answer.busy;
        if (answer.busy) return kj::READY_NOW;
        facts_there_ = std::move(answer.facts);
        pins_there_ = std::move(answer.pins);
        auto table = world_.store.catalog()->find(table_->id);
        kj::Promise<void> pinned = kj::READY_NOW;
        if (table && table->repairs.count(peer_) != 0) {
          pinned = change({.kind = store::RepairChange::Kind::pin}).then([this](Changed ends) {
            if (!ends) give_up("the log cannot be pinned now");
            pins_here_ = std::move(*ends);
          });
        }
        return pinned.then([this] { return facts_here(); })
            .then([this](rpc::ReplicaFacts facts) {
              facts_here_ = std::move(facts);
              bool same = facts_here_.membership == facts_there_.membership;
              settles_ = same ? facts_here_.membership : 0;
            });
      });
}

kj::Promise<void> RepairRun::finish() {
  // Theirs first: as long as our mark stands, nothing flows.
  auto settles = settles_;
  return ask<rpc::FinishAnswer>(rpc::FinishRequest{table_->id, pins_here_, facts_here_, settles})
      .then([this, settles](rpc::FinishAnswer answer) {
        if (!answer.done) give_up("the region could not finish");
        return change({.kind = store::RepairChange::Kind::begin_flows,
                       .positions = pins_there_,
                       .facts = facts_there_,
                       .settles = settles});
      })
      .then([this](Changed changed) -> kj::Promise<void> {
        if (!changed) give_up("the repair could not be stored");
        if (pins_here_.empty()) return kj::READY_NOW;
        return change({.kind = store::RepairChange::Kind::clear}).ignoreResult();
      });
}

// -------------------------------------------------------------------------------------------- steps

kj::Promise<void> RepairRun::walk() {
  ++walks_;
  std::set<RegionId> members;
  for (const auto& [region, entry] : table_->replicas)
    if (entry.present) members.insert(region);
  auto origins = repair::open_origins(facts_here_, facts_there_, members);
  walk_ = std::make_unique<repair::Session>(
      table_->id, repair::facts_of(facts_here_, origins), repair::facts_of(facts_there_, origins),
      purpose_);
  return go(walk_->start()).then([this] { return forgive_collected(); }).then([this]()
                                                                    -> kj::Promise<void> {
    note_walk();
    if (walk_->figures().skipped == 0 || purpose_ == repair::Purpose::compare)
      return kj::READY_NOW;
    if (walks_ == kWalksMax) give_up("rows changed faster than they could be repaired");
    return learn_facts().then([this] { return walk(); });
  });
}

// Tombstones that one side collected while it was compared, and the other a moment later.
kj::Promise<void> RepairRun::forgive_collected() {
  if (purpose_ != repair::Purpose::compare || !walk_->saw_lone_tombstones()) return kj::READY_NOW;
  return learn_facts().then([this] {
    walk_->forgive_collected(std::max(facts_here_.collected, facts_there_.collected));
  });
}

void RepairRun::note_walk() {
  add(figures_.rows, walk_->figures());
  figures_.samples = walk_->samples();
}

kj::Promise<void> RepairRun::go(repair::Step step) {
  if (std::holds_alternative<repair::Finished>(step)) return kj::READY_NOW;
  auto held = kj::heap<repair::Step>(std::move(step));
  auto next = std::visit([this](auto& one) { return perform(one); }, *held);
  return next.attach(kj::mv(held)).then([this](repair::Step following) {
    return go(std::move(following));
  });
}

kj::Promise<repair::Step> RepairRun::perform(repair::DigestThere& step) {
  return ask<rpc::DigestPage>(step.request)
      .then([this](rpc::DigestPage page) -> kj::Promise<repair::Step> {
        if (page.status != rpc::ReadStatus::ok) give_up("the region cannot read its rows");
        std::uint64_t rows = 0;
        for (const auto& part : page.parts) rows += part.digest.rows();
        auto next = walk_->on_digests_there(std::move(page));
        if (rows_per_second_ == 0) return next;
        auto pause_us = static_cast<std::int64_t>(rows * 1'000'000 / rows_per_second_);
        return world_.timer.afterDelay(pause_us * kj::MICROSECONDS)
            .then([next = std::move(next)]() mutable { return std::move(next); });
      });
}

kj::Promise<repair::Step> RepairRun::perform(repair::DigestHere& step) {
  return world_.rows
      .read([step](store::Reader& reader) {
        return repair::digest_parts(reader, step.table, step.after, step.bounds, step.horizon);
      })
      .then([this](std::vector<rpc::Digest> digests) {
        return walk_->on_digests_here(std::move(digests));
      });
}

kj::Promise<repair::Step> RepairRun::perform(repair::HeadsHere& step) {
  return world_.rows
      .read([step](store::Reader& reader) {
        return repair::heads_of(reader, step.table, step.spans, step.horizon, step.rows_max);
      })
      .then([this](repair::Heads heads) { return walk_->on_heads_here(std::move(heads)); });
}

kj::Promise<repair::Step> RepairRun::perform(repair::CompareThere& step) {
  return ask<rpc::Comparison>(std::move(step.request)).then([this](rpc::Comparison comparison) {
    if (comparison.status != rpc::ReadStatus::ok) give_up("the region cannot read its rows");
    return walk_->on_comparison(std::move(comparison));
  });
}

kj::Promise<repair::Step> RepairRun::perform(repair::FetchHere& step) {
  return world_.rows
      .read([request = std::move(step.request)](store::Reader& reader) {
        return repair::fetch(reader, request);
      })
      .then([this](rpc::FetchedRows rows) { return walk_->on_rows(std::move(rows)); });
}

kj::Promise<repair::Step> RepairRun::perform(repair::FetchThere& step) {
  return ask<rpc::FetchedRows>(std::move(step.request)).then([this](rpc::FetchedRows rows) {
    if (rows.status != rpc::ReadStatus::ok) give_up("the region cannot read its rows");
    return walk_->on_rows(std::move(rows));
  });
}

kj::Promise<repair::Step> RepairRun::perform(repair::ApplyHere& step) {
  auto pending = outcomes_.open();
  world_.store.repair_rows(step.work, [answer = std::move(pending.answer)](
                                          const rpc::RepairOutcome& outcome) { answer(outcome); });
  return pending.promise.then([this, &step](rpc::RepairOutcome outcome) {
    return applied(outcome, std::move(step));
  });
}

kj::Promise<repair::Step> RepairRun::perform(repair::ApplyThere& step) {
  return ask<rpc::RepairOutcome>(step.work).then([this, &step](rpc::RepairOutcome outcome) {
    return applied(outcome, std::move(step));
  });
}

// What cannot be applied yet (a clock that is ahead, a disk that is full) is tried again.
kj::Promise<repair::Step> RepairRun::applied(rpc::RepairOutcome outcome, repair::Step again) {
  switch (outcome.status) {
    case rpc::ApplyStatus::applied: {
      waiting_since_.reset();
      return walk_->on_applied(outcome);
    }
    case rpc::ApplyStatus::held:
    case rpc::ApplyStatus::unavailable: {
      if (!waiting_since_) waiting_since_ = world_.timer.now();
      if (world_.timer.now() - *waiting_since_ > kNothingAppliedMax) {
        give_up(outcome.status == rpc::ApplyStatus::held
                    ? "rows are of a clock that is ahead"
                    : "one of the two cannot write its rows at present");
      }
      auto wait_ms = std::clamp<std::int64_t>(outcome.retry_ms, kRetryMs, 10'000);
      return world_.timer.afterDelay(wait_ms * kj::MILLISECONDS)
          .then([this, again = kj::heap<repair::Step>(std::move(again))]() mutable {
            auto next = std::visit([this](auto& one) { return perform(one); }, *again);
            return next.attach(kj::mv(again));
          });
    }
    default: give_up("the region does not take rows of this table");
  }
}

kj::Promise<repair::Step> RepairRun::perform(repair::Finished& step) {
  return repair::Step(step);
}

kj::Promise<repair::Step> RepairRun::perform(repair::Nonsense& step) {
  give_up(fmt::format("the region answered {}", step.what));
}

}  // namespace meridian::peer
