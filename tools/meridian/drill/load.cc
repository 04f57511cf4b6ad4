#include "tools/meridian/drill/load.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <deque>

#include "common/rng.h"
#include "tools/meridian/client.h"
#include "tools/meridian/commands.h"

namespace meridian::drill {
namespace json = boost::json;

namespace {

constexpr std::int64_t kRetryMs = 50;
constexpr std::int64_t kSliceMs = 20;  // how long a writer sleeps without looking up
constexpr std::uint64_t kSharedKeys = 50;
constexpr std::uint64_t kSharedOneIn = 10;
constexpr std::int64_t kReadMsMax = 10'000;
constexpr std::uint64_t kReadOneIn = 4;
constexpr std::size_t kRecentMax = 64;

json::object text(const std::string& value) { return {{"S", value}}; }

}  // namespace

struct Load::Writer {
  std::string home;
  Rng rng{1};
  std::map<std::string, cli::TableApi> clients;  // by region
  std::deque<Write> recent;                      // acknowledged, with keys of their own
  std::atomic<std::int64_t> acked_us{0};         // the last acknowledgement, or the start
  std::thread thread;
};

Load::Load(const cli::Deployment& deployment, LoadOptions options, const Clock& clock,
           std::int64_t began_us)
    : deployment_(deployment), options_(std::move(options)), clock_(clock), began_us_(began_us) {
  for (const auto& region : deployment_.regions) latency_[region.name];
  for (const auto& home : options_.homes) {
    targets_[home] = home;
    auto writer = std::make_unique<Writer>();
    writer->home = home;
    writer->rng = Rng(options_.seed + writers_.size());
    writers_.push_back(std::move(writer));
  }
}

Load::~Load() { stop(0); }

void Load::start() {
  for (auto& writer : writers_) writer->acked_us = now_us();
  for (std::size_t i = 0; i < writers_.size(); ++i)
    writers_[i]->thread = std::thread([this, i] { run(*writers_[i], i); });
}

void Load::stop(std::int64_t patience_ms) {
  give_up_us_ = now_us() + patience_ms * 1000;
  ending_ = true;
  for (auto& writer : writers_)
    if (writer->thread.joinable()) writer->thread.join();
}

void Load::send_to(const std::string& home, const std::string& region) {
  std::lock_guard lock(mutex_);
  targets_[home] = region;
}

std::string Load::target(const std::string& home) const {
  std::lock_guard lock(mutex_);
  return targets_.at(home);
}

std::vector<Write> Load::writes() const {
  std::lock_guard lock(mutex_);
  return writes_;
}

std::vector<StaleRead> Load::stale_reads() const {
  std::lock_guard lock(mutex_);
  return stale_reads_;
}

std::int64_t Load::outage_us() const {
  std::int64_t longest_us = 0;
  for (const auto& writer : writers_)
    longest_us = std::max(longest_us, now_us() - writer->acked_us);
  return longest_us;
}

const Histogram& Load::latency(const std::string& region) const { return latency_.at(region); }

void Load::run(Writer& writer, std::size_t index) {
  const double every_us = 1e6 * static_cast<double>(writers_.size()) / options_.rate;
  const std::int64_t first_us = now_us();
  for (std::uint64_t number = 0; !ending_; ++number) {
    Write write;
    write.home = writer.home;
    write.shared = writer.rng.below(kSharedOneIn) == 0;
    write.value = std::to_string(index) + "." + std::to_string(number);
    write.key = write.shared ? "shared-" + std::to_string(writer.rng.below(kSharedKeys))
                             : "own-" + write.value;
    write.due_us = first_us + static_cast<std::int64_t>(static_cast<double>(number) * every_us);
    while (!ending_ && now_us() < write.due_us)
      cli::pause_ms(std::min(kSliceMs, (write.due_us - now_us()) / 1000 + 1));
    if (ending_) return;
    for (;;) {
      std::string region = target(writer.home);
      ++attempts_;
      if (attempt(writer, write, region)) {
        write.region = region;
        write.acked_us = now_us();
        writer.acked_us = write.acked_us;
        latency_.at(region).record(write.acked_us - write.due_us);
        break;
      }
      ++failures_;
      ++write.failures;
      if (ending_ && now_us() >= give_up_us_) break;
      cli::pause_ms(kRetryMs);
    }
    if (write.acked_us != 0 && !write.shared) {
      writer.recent.push_back(write);
      if (writer.recent.size() > kRecentMax) writer.recent.pop_front();
    }
    {
      std::lock_guard lock(mutex_);
      writes_.push_back(std::move(write));
    }
    if (number % kReadOneIn == 0) read_back(writer);
  }
}

void Load::read_back(Writer& writer) {
  if (writer.recent.empty()) return;
  const Write& write = writer.recent[writer.rng.below(writer.recent.size())];
  std::string region = target(writer.home);
  std::int64_t at_us = now_us();
  json::object answer;
  try {
    answer = client_of(writer, region)
                 .call("GetItem", {{"TableName", kTable},
                                   {"ConsistentRead", true},
                                   {"Key", json::object{{"drill", text(options_.drill)},
                                                        {"key", text(write.key)}}}});
  } catch (const std::exception&) {
    return;  // the outage is measured by the writes
  }
  ++reads_;
  if (answer.contains("Item")) return;  // its key is its own, so it is this very write
  std::lock_guard lock(mutex_);
  stale_reads_.push_back({write.key, write.value, write.region, region, write.acked_us, at_us});
}

cli::TableApi& Load::client_of(Writer& writer, const std::string& region) {
  auto client = writer.clients.find(region);
  if (client == writer.clients.end())
    client =
        writer.clients.try_emplace(region, deployment_.region(region).table, region, kAttemptMsMax)
            .first;
  return client->second;
}

bool Load::attempt(Writer& writer, Write& write, const std::string& region) {
  try {
    client_of(writer, region).call("PutItem", {{"TableName", kTable},
                                    {"Item", json::object{{"drill", text(options_.drill)},
                                                          {"key", text(write.key)},
                                                          {"value", text(write.value)}}}});
    return true;
  } catch (const std::exception&) {
    // Refused, or nobody there: the client does not care why.
    return false;
  }
}

Holdings read_holdings(const cli::Endpoints& region, const std::string& drill) {
  Holdings out;
  cli::TableApi api(region.table, region.name, kReadMsMax);
  json::object request{{"TableName", kTable},
                       {"ConsistentRead", true},
                       {"KeyConditionExpression", "drill = :d"},
                       {"ExpressionAttributeValues", json::object{{":d", text(drill)}}}};
  for (;;) {
    json::object page = api.call("Query", request);
    for (const auto& entry : page.at("Items").as_array()) {
      const json::object& item = entry.as_object();
      auto field = [&item](const char* name) {
        return std::string(item.at(name).as_object().at("S").as_string());
      };
      out[field("key")] = field("value");
    }
    const json::value* last = page.if_contains("LastEvaluatedKey");
    if (last == nullptr) return out;
    request["ExclusiveStartKey"] = *last;
  }
}

}  // namespace meridian::drill
