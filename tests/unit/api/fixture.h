// ApiFixture: an Api over a FakeStore, called through its HTTP handler as a client would.
// Threads: one.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "region-node/api/api.h"
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

class ApiFixture : public testing::Test {
 protected:
  ApiFixture();

  // `operation`: without the service's prefix.
  http::Response call(const std::string& operation, const std::string& body);
  // The body of a successful call; fails the test otherwise.
  std::string ok(const std::string& operation, const std::string& body);
  // "ShortType: message" of a failed call with status 400; fails the test otherwise.
  std::string error(const std::string& operation, const std::string& body);
  // The text of a member of a flat JSON answer: what follows "name":" up to the next quotation mark.
  static std::string member(const std::string& json, const std::string& name);

  // Table "Plain" has the partition key p (S); "Sorted" has p (S) and s (N).
  void make_tables();

  ManualClock clock_;
  FakeStore store_;
  FakeReplicas replicas_;
  api::Api api_;
  http::Handler handler_;
};

}  // namespace meridian::test
