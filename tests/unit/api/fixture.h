// ApiFixture: an Api over a FakeStore, called through its HTTP handler as a client would.
// Threads: one.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "region-node/api/api.h"
#include "tests/unit/api/fake_replicas.h"
#include "tests/unit/api/fake_store.h"

namespace meridian::test {

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
