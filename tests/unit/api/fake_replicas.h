// FakeReplicas: a control plane that carries everything out in a FakeStore at once, and remembers what
// it was asked.
// Threads: one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "region-node/api/replica_control.h"
#include "tests/unit/api/fake_store.h"

namespace meridian::test {

class FakeReplicas final : public api::ReplicaControl {
 public:
  explicit FakeReplicas(FakeStore& store) : store_(store) {}

  void create_replica(store::TablePtr table, RegionId region, Done done) override {
    calls.push_back("create " + table->name + " " + std::string(region.name()));
    run(std::move(table), region, true, std::move(done));
  }
  void delete_replica(store::TablePtr table, RegionId region, Done done) override {
    calls.push_back("delete " + table->name + " " + std::string(region.name()));
    run(std::move(table), region, false, std::move(done));
  }
  void announce(TableId) override { calls.emplace_back("announce"); }
  void drop_table(store::TablePtr table, Done done) override {
    calls.push_back("drop " + table->name);
    if (failure) return done(Err(*failure));
    store_.drop_table(table->id, false, [](const store::ControlResult&) {});
    done({});
  }

  std::vector<std::string> calls;
  std::optional<api::ApiError> failure;

 private:
  void run(store::TablePtr table, RegionId region, bool present, Done done) {
    if (failure) return done(Err(*failure));
    store_.set_replica(table->id, region, present, [](const store::ControlResult&) {});
    done({});
  }
  FakeStore& store_;
};

}  // namespace meridian::test
