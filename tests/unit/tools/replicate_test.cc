// The pure parts of `meridian bench replicate`: when writes are due, what they are, what is counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>
#include <queue>
#include <set>

#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"
#include "tools/meridian/replicate/errors.h"
#include "tools/meridian/replicate/requests.h"
#include "tools/meridian/replicate/schedule.h"
#include "tools/meridian/replicate/summary.h"

namespace meridian::replicate {
namespace {

namespace json = boost::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// --------------------------------------------------------------------------------------- schedule

TEST(Schedule, WritesAreDueAtASteadyRate) {
  Schedule schedule(250);
  EXPECT_EQ(schedule.due_us(0), 0);
  EXPECT_EQ(schedule.due_us(1), 4'000);
  EXPECT_EQ(schedule.due_us(250), 1'000'000);
  EXPECT_EQ(schedule.due_us(250ULL * 86'400), 86'400'000'000);
}

TEST(Schedule, CountsWhatIsDueBeforeAMoment) {
  for (double rate : {0.3, 1.0, 3.0, 7.0, 999.0, 123'456.7}) {
    Schedule schedule(rate);
    for (std::int64_t until_us : {0LL, 1LL, 999'999LL, 1'000'000LL, 3'333'333LL, 60'000'000LL}) {
      auto count = schedule.due_before(until_us);
      EXPECT_TRUE(count == 0 || schedule.due_us(count - 1) < until_us) << rate;
      EXPECT_GE(schedule.due_us(count), until_us) << rate;
    }
  }
  EXPECT_EQ(Schedule(100).due_before(30'000'000), 3'000U);
}

// --------------------------------------------------------------------------------------- workload

TEST(Mix, IsReadAndHasToMakeAHundred) {
  Mix mix = parse_mix("--mix", "put=70,update=20,delete=10");
  EXPECT_EQ(mix.put, 70U);
  EXPECT_EQ(mix.update, 20U);
  EXPECT_EQ(mix.remove, 10U);
  EXPECT_EQ(parse_mix("--mix", "delete=100").put, 0U);
  for (const char* wrong : {"", "put", "put=", "put=70", "put=70,update=40", "get=100", "put=1e2",
                            "put=50,put=50", "put=-1,update=101", "put=100x", "put=200"})
    EXPECT_THROW(parse_mix("--mix", wrong), cli::UsageError) << wrong;
}

TEST(Workload, IsTheSameForTheSameNumber) {
  WorkloadOptions options;
  options.mix = {50, 30, 20};
  Workload one(options);
  Workload other(options);
  options.seed = 2;
  Workload another(options);
  int differing = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    EXPECT_EQ(one.at(n).key, other.at(n).key);
    EXPECT_EQ(one.at(n).kind, other.at(n).kind);
    differing += one.at(n).key != another.at(n).key ? 1 : 0;
  }
  EXPECT_GT(differing, 900);
}

TEST(Workload, MixesAsItIsTold) {
  WorkloadOptions options;
  options.mix = {70, 20, 10};
  Workload workload(options);
  std::map<Kind, int> seen;
  for (std::uint64_t n = 0; n < 100'000; ++n) ++seen[workload.at(n).kind];
  EXPECT_NEAR(seen[Kind::put], 70'000, 1'000);
  EXPECT_NEAR(seen[Kind::update], 20'000, 1'000);
  EXPECT_NEAR(seen[Kind::remove], 10'000, 1'000);
}

std::vector<int> drawn(Distribution distribution, std::uint64_t keys, std::uint64_t draws) {
  WorkloadOptions options;
  options.distribution = distribution;
  options.keys = keys;
  Workload workload(options);
  std::vector<int> out(keys, 0);
  for (std::uint64_t n = 0; n < draws; ++n) ++out.at(workload.at(n).key);
  return out;
}

TEST(Workload, SpreadsKeysAsItIsTold) {
  EXPECT_THAT(drawn(Distribution::sequential, 3, 7), ElementsAre(3, 2, 2));
  for (int count : drawn(Distribution::uniform, 100, 100'000)) EXPECT_NEAR(count, 1'000, 200);
  auto zipf = drawn(Distribution::zipf, 1'000, 200'000);
  EXPECT_GT(zipf[0], zipf[1]);
  EXPECT_NEAR(zipf[0], 2 * zipf[1], zipf[1] * 0.2) << "half as often, or nearly";
  EXPECT_GT(std::count_if(zipf.begin(), zipf.end(), [](int n) { return n > 0; }), 900);
  EXPECT_EQ(drawn(Distribution::zipf, 1, 10)[0], 10);
}

// --------------------------------------------------------------------------------------- requests

json::object table_of(const char* hash_type, const char* range_type = nullptr) {
  json::array schema{json::object{{"AttributeName", "h"}, {"KeyType", "HASH"}}};
  json::array types{json::object{{"AttributeName", "h"}, {"AttributeType", hash_type}}};
  if (range_type != nullptr) {
    schema.push_back(json::object{{"AttributeName", "r"}, {"KeyType", "RANGE"}});
    types.push_back(json::object{{"AttributeName", "r"}, {"AttributeType", range_type}});
  }
  return {{"TableName", "T"}, {"KeySchema", schema}, {"AttributeDefinitions", types}};
}

TEST(Requests, FitTheKeysOfTheTable) {
  Requests texts(table_of("S"), "17", 200, 1);
  const auto put = texts.write(5, {Kind::put, 3});
  EXPECT_STREQ(put.operation, "PutItem");
  const auto& item = put.body.at("Item").as_object();
  EXPECT_EQ(item.at("h").at("S").as_string(), "bench-17-3");
  EXPECT_EQ(item.at("bench_write").at("S").as_string(), "5");
  std::size_t size = 0;
  for (const auto& [name, value] : item) size += name.size() + value.at("S").as_string().size();
  EXPECT_EQ(size, 200U);
  Requests others(table_of("N", "B"), "17", 1, 1);
  const auto gone = others.write(6, {Kind::remove, 3});
  EXPECT_STREQ(gone.operation, "DeleteItem");
  EXPECT_EQ(gone.body.at("Key").at("h").at("N").as_string(), "17000000000003");
  EXPECT_EQ(gone.body.at("Key").at("r").at("B").as_string(), "YmVuY2gtMTctMw==");
  const auto update = others.write(7, {Kind::update, 3});
  EXPECT_STREQ(update.operation, "UpdateItem");
  EXPECT_EQ(update.body.at("ExpressionAttributeValues").at(":payload").at("S").as_string(), "")
      << "the item is longer already";
}

TEST(Requests, SamplesHaveKeysOfTheirOwnAndAreFoundAgain) {
  Requests requests(table_of("S", "N"), "17", 200, 1);
  std::set<std::string> keys;
  for (std::uint64_t n = 0; n < 50; ++n) {
    keys.insert(json::serialize(requests.sample(n).body.at("Item").at("h")));
    keys.insert(json::serialize(requests.write(n, {Kind::put, n}).body.at("Item").at("h")));
  }
  EXPECT_EQ(keys.size(), 100U);
  const auto look = requests.look({{4, 0, 0}, {9, 0, 0}});
  const auto& wanted = look.at("RequestItems").at("T").at("Keys").as_array();
  ASSERT_EQ(wanted.size(), 2U);
  EXPECT_EQ(wanted[1].at("h"), requests.sample(9).body.at("Item").at("h"));
  auto answer = json::parse(R"({"Responses": {"T": [{"bench_write": {"S": "9"}}, {}]}})");
  EXPECT_THAT(requests.seen(answer.as_object()), ElementsAre(9));
  EXPECT_TRUE(requests.seen({}).empty());
}

TEST(Requests, RefuseATableWhoseKeyTheyWouldWriteOver) {
  auto table = table_of("S");
  table["KeySchema"].as_array()[0].as_object()["AttributeName"] = "bench_write";
  EXPECT_THROW(Requests(table, "17", 100, 1), cli::UsageError);
}

TEST(Errors, AreCountedByWhatTheyAreAndNotByAddress) {
  EXPECT_EQ(kind_of(http::HttpError("10.0.0.1:8000: timed out")).error, "timed out");
  EXPECT_EQ(kind_of(http::HttpError("10.0.0.1:8000: timed out")).status, 0);
  auto refused = kind_of(cli::ApiFailure(400, "ThrottlingException", "slow down"));
  EXPECT_EQ(refused.error, "ThrottlingException");
  EXPECT_EQ(refused.status, 400);
}

// ---------------------------------------------------------------------------------------- tallies

// A server that takes 1 ms for a write, but answers nothing from 2 s to 4 s; 100 writes a second over
// `connections` for 10 s.
WriteTally stalled(std::size_t connections) {
  Schedule schedule(100);
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> free_at;
  for (std::size_t i = 0; i < connections; ++i) free_at.push(0);
  WriteTally out;
  for (std::uint64_t n = 0; n < schedule.due_before(10'000'000); ++n) {
    std::int64_t due_us = schedule.due_us(n);
    std::int64_t sent_us = std::max(due_us, free_at.top());
    std::int64_t done_us = sent_us + 1'000;
    if (done_us > 2'000'000 && sent_us < 4'000'000) done_us = 4'000'000 + 1'000;
    free_at.pop();
    free_at.push(done_us);
    out.add({Kind::put, due_us, sent_us, done_us, 200, ""});
  }
  return out;
}

TEST(Omission, AStallCountsForAllThatItKeptWaiting) {
  auto tally = stalled(2);
  EXPECT_EQ(tally.acknowledged, 1'000U);
  // Two were under way; those due meanwhile, a fifth of all, waited for up to two seconds.
  EXPECT_LE(tally.from_sent.quantile_us(0.99), 1'100);
  EXPECT_GE(tally.from_due.quantile_us(0.90), 900'000);
  EXPECT_NEAR(static_cast<double>(tally.from_due.quantile_us(0.9)), 1e6, 0.1e6)
      << "half of the fifth waited for longer than half of the stall";
  EXPECT_EQ(tally.from_due.count(), tally.from_sent.count());
  EXPECT_LE(tally.from_sent.max_us, tally.from_due.max_us);
  // With a connection for each write nothing waits for one, and the two agree.
  auto wide = stalled(1'000);
  EXPECT_EQ(wide.from_due.by_bound, wide.from_sent.by_bound);
  EXPECT_GE(wide.from_sent.quantile_us(0.90), 900'000);
}

TEST(Omission, WhatWasNeverSentHasWaitedAllTheSame) {
  WriteTally tally;
  tally.add({Kind::put, 0, 0, 1'000, 200, ""});
  for (int n = 1; n < 10; ++n) tally.give_up(n * 100'000, 2'000'000);
  EXPECT_EQ(tally.unsent, 9U);
  EXPECT_EQ(tally.from_sent.count(), 1U);
  EXPECT_EQ(tally.from_due.count(), 10U);
  EXPECT_EQ(tally.from_due.max_us, 1'900'000);
}

TEST(Tally, CountsFailuresByTypeAndStatusAndTheirLatencyNot) {
  WriteTally tally;
  tally.add({Kind::put, 0, 0, 1'000, 200, ""});
  tally.add({Kind::update, 0, 0, 2'000, 200, ""});
  tally.add({Kind::put, 0, 0, 9'000'000, 0, "timed out"});
  tally.add({Kind::put, 0, 0, 500, 400, "ThrottlingException"});
  tally.add({Kind::put, 0, 0, 500, 400, "ThrottlingException"});
  EXPECT_EQ(tally.acknowledged, 2U);
  EXPECT_EQ(tally.failed, 3U);
  EXPECT_EQ(tally.errors["ThrottlingException"], 2U);
  EXPECT_EQ(tally.statuses[0], 1U);
  EXPECT_EQ(tally.statuses[400], 2U);
  EXPECT_EQ(tally.by_kind[Kind::put], 1U);
  EXPECT_EQ(tally.from_due.count(), 2U);
  EXPECT_EQ(tally.last_us, 9'000'000);
}

TEST(Tally, ASampleThatIsNeverSeenIsNotForgotten) {
  SinkTally sink;
  sink.see({1, 1'000, 3'000}, 8'000);
  EXPECT_EQ(sink.lag.max_us, 5'000);
  EXPECT_EQ(sink.from_due.max_us, 7'000);
  sink.give_up({2, 1'000, 3'000}, 10'003'000);
  EXPECT_EQ(sink.seen, 1U);
  EXPECT_EQ(sink.unseen, 1U);
  EXPECT_EQ(sink.lag.max_us, 10'000'000) << "a link that stands still has no small lag";
}

// ---------------------------------------------------------------------------------------- summary

Summary summary_of(WriteTally writes) {
  Summary out;
  out.table = "Orders";
  out.source = "us";
  out.run = "17";
  out.per_second = 100;
  out.seconds = 10;
  out.requested = writes.sent() + writes.unsent;
  out.writes = std::move(writes);
  SinkTally sink;
  sink.region = "eu";
  for (int i = 0; i < 10; ++i) sink.see({1, 0, 1'000}, 81'000);
  out.sinks.push_back(sink);
  return out;
}

TEST(Bars, StepByOneTwoFive) {
  LagCounts counts;
  EXPECT_TRUE(bars_of(counts).empty());
  for (int us : {150, 180, 400, 3'000, 20'000}) counts.add(us);
  auto bars = bars_of(counts);
  std::vector<std::int64_t> bounds;
  std::vector<std::uint64_t> numbers;
  for (const auto& bar : bars) {
    bounds.push_back(bar.bound_us);
    numbers.push_back(bar.count);
  }
  EXPECT_THAT(bounds, ElementsAre(200, 500, 1'000, 2'000, 5'000, 10'000, 20'000));
  EXPECT_THAT(numbers, ElementsAre(2, 1, 0, 0, 1, 0, 1));
}

TEST(Summary, SaysBothLatenciesInEveryFormat) {
  auto summary = summary_of(stalled(2));
  auto report = json::parse(render(summary, cli::Format::json));
  const auto& latency = report.at("latency_ms");
  EXPECT_GT(latency.at("corrected").at("p95").to_number<double>(),
            100 * latency.at("uncorrected").at("p95").to_number<double>());
  EXPECT_EQ(report.at("writes").at("acknowledged").to_number<int>(), 1'000);
  EXPECT_NEAR(report.at("sinks").at(0).at("lag_ms").at("p50").to_number<double>(), 80, 0.8);
  std::string text = render(summary, cli::Format::table);
  EXPECT_THAT(text, HasSubstr("write, since it was due"));
  EXPECT_THAT(text, HasSubstr("write, since it was sent"));
  EXPECT_THAT(text, HasSubstr("1,000 (100.0 a second)"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  std::string csv = render(summary, cli::Format::csv);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
  EXPECT_THAT(csv, HasSubstr("\nend_to_end,eu,10,"));
}

TEST(Summary, OfAClosedLoopHasNoScheduleToCorrectBy) {
  auto summary = summary_of(stalled(2));
  summary.open_loop = false;
  auto report = json::parse(render(summary, cli::Format::json));
  EXPECT_TRUE(report.at("latency_ms").at("corrected").is_null());
  EXPECT_THAT(render(summary, cli::Format::table), Not(HasSubstr("since it was due")));
  EXPECT_EQ(latencies(summary).front().first, "write-uncorrected");
}

TEST(Summary, OfNothing) {
  Summary nothing;
  EXPECT_THAT(render(nothing, cli::Format::json), HasSubstr("\"p99\":null"));
  EXPECT_THAT(render(nothing, cli::Format::table), HasSubstr("acknowledged"));
  EXPECT_EQ(exit_code(nothing), cli::kExitYes);
}

TEST(Summary, TheExitCodeSaysWhatFellShort) {
  EXPECT_EQ(exit_code(summary_of(stalled(2))), cli::kExitYes);
  WriteTally failed = stalled(2);
  failed.add({Kind::put, 0, 0, 1, 400, "ThrottlingException"});
  EXPECT_EQ(exit_code(summary_of(failed)), cli::kExitNo);
  WriteTally behind = stalled(2);
  behind.give_up(0, 1);
  EXPECT_EQ(exit_code(summary_of(behind)), cli::kExitNo);
  auto unseen = summary_of(stalled(2));
  unseen.sinks[0].give_up({2, 0, 0}, 1);
  EXPECT_EQ(exit_code(unseen), cli::kExitNo);
  WriteTally dead;
  dead.add({Kind::put, 0, 0, 1, 0, "Connection refused"});
  EXPECT_EQ(exit_code(summary_of(dead)), cli::kExitUnreachable);
  WriteTally refused;
  refused.add({Kind::put, 0, 0, 1, 400, "ValidationException"});
  EXPECT_EQ(exit_code(summary_of(refused)), cli::kExitRefused);
}

}  // namespace
}  // namespace meridian::replicate
