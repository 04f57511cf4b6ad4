// Drains: operators who ask whether a region has everything that another one had when they asked, with
// both halves of the production's drain (store/drain.h), as `meridian drain` does: a barrier in the
// source, then the sink is asked again and again, and the source whether its logs are still the same.
//
// They reach both regions whatever the links between these do.  When a sink says yes of a table, it must
// hold, at that moment, at least the version that the source held of each key when the operator asked,
// and every write that the source had acknowledged by then; and it must hold it from then on (P16).
// But not what its own region has forgotten, while the sink takes that one's word for having told all and
// neither it nor the source, when it was asked, has heard of the end of that life (ADR 0027).
// Threads: one.  Borrows: everything it is made with.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "region-node/store/drain.h"
#include "tests/sim/history.h"
#include "tests/sim/sim_replicator.h"

namespace meridian::sim {

class Drains {
 public:
  Drains(Outside& outside, const History& history);

  // Asks for `for_us`, or until the answer is yes; `done` hears whether it was.  A source that is down
  // cannot be asked.
  void ask(std::size_t from, std::size_t to, std::int64_t for_us,
           std::function<void(bool)> done = {});
  // A region has lost what it held, or some of it: nobody is bound by what was asked there before.
  void region_forgot(std::size_t region);
  // Whether a region still has what it once said it had.
  void check_kept(std::size_t region);

  [[nodiscard]] std::size_t open() const { return open_.size(); }
  [[nodiscard]] std::size_t asked() const { return asked_; }
  [[nodiscard]] std::size_t said_yes() const { return said_yes_; }

 private:
  using Versions = std::map<Bytes, conflict::Version>;  // by key
  using Owed = std::map<TableId, Versions>;
  struct Drain {
    std::size_t from;
    std::size_t to;
    std::int64_t until_us;
    Owed owed;
    std::function<void(bool)> done;
    std::optional<store::DrainQuestion> question;
    std::int64_t renew_us = 0;  // when the source is asked again
    bool ended = false;
  };
  using DrainPtr = std::shared_ptr<Drain>;

  [[nodiscard]] Owed held_by(std::size_t region) const;
  [[nodiscard]] std::vector<TableId> shared_tables(const Drain& drain) const;
  void take_barrier(const DrainPtr& drain);
  void look(const DrainPtr& drain);
  // Whether a version was forgotten by its region, and neither the question nor the sink knows of it.
  [[nodiscard]] bool unheard(const Drain& drain, const TableId& table,
                             const conflict::Version& version) const;
  // The sink's answer: whether it is yes.
  bool answered(const Drain& drain);
  void check(std::size_t region, const TableId& table, const Versions& owed, const char* when);
  void end(const DrainPtr& drain, bool yes);
  [[nodiscard]] SimNode& node(std::size_t region) const { return *outside_.nodes[region]; }

  Outside& outside_;
  const History& history_;
  std::vector<DrainPtr> open_;
  std::vector<Owed> kept_;  // by region: what it has said it has
  std::size_t asked_ = 0;
  std::size_t said_yes_ = 0;
};

}  // namespace meridian::sim
