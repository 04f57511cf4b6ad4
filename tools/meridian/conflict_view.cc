#include "tools/meridian/conflict_view.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <set>

#include "common/http/client.h"
#include "conflict/no_ledger.h"
#include "tools/meridian/client.h"
#include "tools/meridian/unreachable.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::int64_t kPageMsMax = 30'000;

conflict::Hlc hlc_of_hex(const std::string& hex) {
  auto bytes = from_hex(hex);
  BytesView view = bytes ? BytesView(*bytes) : BytesView();
  auto value = take_u64(view);
  if (!value || !view.empty()) throw std::runtime_error("malformed clock value '" + hex + "'");
  return conflict::Hlc{*value};
}

// One region's ledger, a page at a time.
class LedgerCursor {
 public:
  LedgerCursor(const Endpoints& region, const ConflictFilter& filter)
      : region_(region.name), client_(region.admin, kPageMsMax) {
    target_ = "/v1/tables/" + filter.table + "/conflicts?images=" + (filter.images ? "1" : "0");
    if (!filter.key_json.empty()) target_ += "&key_json=" + percent_encoded(filter.key_json);
  }

  // Reads the first page.  Empty when all is well, else why this region has nothing to say.
  std::string open() {
    Fetched answer = fetch(client_, target_);
    if (answer.status == 404) return "no such table there";
    if (answer.status == 400) throw UsageError(answer.problem);
    if (answer.status == 401) (void)expect_object(region_, answer);
    if (!answer.body) return answer.problem;
    take(answer.body->as_object());
    return {};
  }

  [[nodiscard]] const std::string& region() const { return region_; }
  [[nodiscard]] conflict::Hlc complete_after() const { return complete_after_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
  [[nodiscard]] bool at_end() const { return entries_.empty(); }
  [[nodiscard]] const Bytes& key() const { return entries_.front().key; }

  // The entries of key().
  std::vector<json::object> take_key() {
    const Bytes key = this->key();
    std::vector<json::object> out;
    while (!entries_.empty() && entries_.front().key == key) {
      out.push_back(std::move(entries_.front().object));
      entries_.pop_front();
      if (entries_.empty() && more_) read_more(out.back());
    }
    return out;
  }

 private:
  struct Entry {
    Bytes key;
    json::object object;
  };

  void read_more(const json::object& last) {
    Fetched answer =
        fetch(client_, target_ + "&after_key=" + text_at(last, "key") + "&after_version=" +
                           text_at(last.at("loser").as_object(), "version_hex"));
    take(expect_object(region_, answer));
  }

  void take(const json::object& page) {
    complete_after_ = hlc_of_hex(text_at(page, "complete_after"));
    dropped_ = page.at("dropped").to_number<std::uint64_t>();
    more_ = page.at("more").as_bool();
    for (const auto& value : page.at("entries").as_array()) {
      auto key = from_hex(text_at(value.as_object(), "key"));
      if (!key) throw std::runtime_error(region_ + " answered an entry without a key");
      entries_.push_back({std::move(*key), value.as_object()});
    }
  }

  std::string region_;
  AdminClient client_;
  std::string target_;
  conflict::Hlc complete_after_;
  std::uint64_t dropped_ = 0;
  bool more_ = false;
  std::deque<Entry> entries_;
};

using Cursors = std::vector<std::unique_ptr<LedgerCursor>>;

conflict::RegionLedger ledger_of(LedgerCursor& cursor, const std::vector<json::object>& entries) {
  conflict::RegionLedger ledger;
  ledger.region = RegionId::of(cursor.region());
  ledger.complete_after = cursor.complete_after();
  for (const auto& entry : entries) {
    ledger.entries.push_back({read_lineage(entry.at("loser").as_object()),
                              read_lineage(entry.at("winner").as_object())});
    if (entry.at("current").is_object())
      ledger.current = read_lineage(entry.at("current").as_object());
  }
  return ledger;
}

bool wanted(const ConflictFilter& filter, const conflict::Version& loser) {
  std::int64_t ms = loser.hlc.physical_ms();
  return (!filter.from_ms || ms >= *filter.from_ms) && (!filter.to_ms || ms < *filter.to_ms);
}

// The conflicts of the least key of all cursors.
void visit_key(Cursors& cursors, const ConflictFilter& filter,
               const std::function<void(Conflict)>& visit) {
  std::optional<Bytes> key;
  for (const auto& cursor : cursors)
    if (!cursor->at_end() && (!key || cursor->key() < *key)) key = cursor->key();
  std::vector<std::vector<json::object>> entries(cursors.size());
  std::vector<conflict::RegionLedger> ledgers;
  for (std::size_t i = 0; i < cursors.size(); ++i) {
    if (!cursors[i]->at_end() && cursors[i]->key() == *key) entries[i] = cursors[i]->take_key();
    ledgers.push_back(ledger_of(*cursors[i], entries[i]));
  }
  std::vector<conflict::MergedLoser> losers;
  if (filter.region.empty()) {
    losers = conflict::merge(ledgers);
  } else {
    for (std::size_t j = 0; j < ledgers[0].entries.size(); ++j)
      losers.push_back({0, j, ledgers[0].entries[j].loser.version.region == ledgers[0].region});
  }
  for (const auto& loser : losers) {
    auto& writes = ledgers[loser.ledger].entries[loser.entry];
    if (!wanted(filter, writes.loser.version)) continue;
    visit({cursors[loser.ledger]->region(), loser.certain, std::move(writes),
           std::move(entries[loser.ledger][loser.entry])});
  }
}

// The types of a table's key attributes, as the first region that answers has them.
std::map<std::string, std::string> key_types(const Deployment& deployment,
                                             const std::string& table) {
  std::string problem;
  for (const auto& region : deployment.regions) {
    try {
      TableApi api(region.table, region.name);
      json::object described =
          api.call("DescribeTable", {{"TableName", table}}).at("Table").as_object();
      std::map<std::string, std::string> types;
      for (const auto& definition : described.at("AttributeDefinitions").as_array())
        types[text_at(definition.as_object(), "AttributeName")] =
            text_at(definition.as_object(), "AttributeType");
      std::map<std::string, std::string> out;
      for (const auto& part : described.at("KeySchema").as_array()) {
        std::string name = text_at(part.as_object(), "AttributeName");
        out[name] = types[name];
      }
      return out;
    } catch (const http::HttpError& failure) {
      problem = failure.what();
    } catch (const ApiFailure& failure) {
      if (failure.type() != "ResourceNotFoundException") throw;
    }
  }
  if (!problem.empty()) throw Unreachable("a region that has " + table, problem);
  throw UsageError("no region has a table named " + table);
}

}  // namespace

conflict::Lineage read_lineage(const json::object& object) {
  auto bytes = from_hex(text_at(object, "version_hex"));
  auto version = bytes ? conflict::decode_version(*bytes) : std::nullopt;
  std::vector<conflict::Context::Entry> entries;
  for (const auto& [name, hlc] : object.at("context").as_object()) {
    auto region = RegionId::parse(name);
    if (!region) throw std::runtime_error("malformed region in a context");
    entries.push_back({*region, hlc_of_hex(std::string(hlc.as_string()))});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.region < b.region; });
  auto context = conflict::Context::from_entries(std::move(entries));
  if (!version || !context) throw std::runtime_error("a region answered a malformed version");
  return {*version, std::move(*context)};
}

std::string percent_encoded(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string rule_between(const conflict::Version& loser, const conflict::Version& winner) {
  if (loser.hlc == winner.hlc) return "same time, greater region name";
  std::int64_t ms = winner.hlc.physical_ms() - loser.hlc.physical_ms();
  return ms == 0 ? "later in the same millisecond" : "later by " + std::to_string(ms) + " ms";
}

std::vector<std::string> all_tables(const Deployment& deployment) {
  std::vector<Page> pages;
  for (const auto& region : deployment.regions) pages.push_back({region.admin, "/v1/status"});
  std::set<std::string> names;
  bool answered = false;
  Fetched failed;
  for (const auto& answer : fetch_all(pages)) {
    answered |= answer.body.has_value();
    if (!answer.body) failed = answer;
    if (!answer.body) continue;
    for (const auto& table : answer.body->as_object().at("tables").as_array())
      names.insert(text_at(table.as_object(), "name"));
  }
  if (!answered) (void)expect_object(deployment.regions.front().name, failed);
  return {names.begin(), names.end()};
}

std::vector<std::string> read_conflicts(const Deployment& deployment, const ConflictFilter& filter,
                                        const std::function<void(Conflict)>& visit) {
  std::vector<std::string> notes;
  Cursors cursors;
  bool answered = false;
  std::string problem;
  if (!filter.region.empty()) (void)deployment.region(filter.region);
  for (const auto& region : deployment.regions) {
    if (!filter.region.empty() && region.name != filter.region) continue;
    auto cursor = std::make_unique<LedgerCursor>(region, filter);
    problem = cursor->open();
    if (problem.empty()) {
      if (cursor->complete_after() == conflict::kNoLedger) {
        notes.push_back(region.name +
                        " keeps no ledger; what it wrote is listed as others know it");
      } else if (cursor->dropped() > 0) {
        notes.push_back(region.name + " has dropped " + std::to_string(cursor->dropped()) +
                        " losers of " + filter.table + ", the newest of " +
                        conflict::to_text({cursor->complete_after(), RegionId::of(region.name)}) +
                        "; before that, the list is not complete");
      }
      cursors.push_back(std::move(cursor));
    } else if (problem != "no such table there") {
      notes.push_back(region.name + " did not answer (" + problem +
                      "); what it wrote is listed as others know it");
    }
    answered |= problem.empty() || problem == "no such table there";
  }
  if (!answered) throw Unreachable(deployment.regions.front().name, problem);
  if (cursors.empty()) throw UsageError("no region has a table named " + filter.table);
  auto any = [&cursors] {
    return std::any_of(cursors.begin(), cursors.end(),
                       [](const auto& cursor) { return !cursor->at_end(); });
  };
  while (any()) visit_key(cursors, filter, visit);
  return notes;
}

std::string find_key_of_loser(const Deployment& deployment, const std::string& table,
                              const conflict::Version& version) {
  std::vector<Page> pages;
  for (const auto& region : deployment.regions)
    pages.push_back({region.admin, "/v1/tables/" + table + "/conflicts?images=0&version=" +
                                       to_hex(conflict::encode_version(version))});
  bool answered = false;
  bool known = false;
  Fetched failed;
  for (const auto& answer : fetch_all(pages)) {
    answered |= answer.status != 0 && answer.status != 401;
    if (!answer.body) failed = answer;
    if (!answer.body) continue;
    known = true;
    const auto& entries = answer.body->as_object().at("entries").as_array();
    if (!entries.empty()) return json::serialize(entries.front().as_object().at("key_json"));
  }
  if (!answered) (void)expect_object(deployment.regions.front().name, failed);
  if (!known) throw UsageError("no region has a table named " + table);
  return {};
}

std::string parse_key(const Deployment& deployment, const std::string& table,
                      const std::vector<std::string>& words) {
  if (words.empty()) return {};
  if (words.size() == 1 && words[0].starts_with('{')) {
    boost::system::error_code error;
    json::value value = json::parse(words[0], error);
    if (error || !value.is_object())
      throw UsageError("the key is not JSON in DynamoDB's form, such as {\"pk\": {\"S\": \"a\"}}");
    return json::serialize(value);
  }
  auto types = key_types(deployment, table);
  json::object key;
  std::string names;
  for (const auto& [name, type] : types) names += (names.empty() ? "" : " and ") + name + "=...";
  for (const auto& word : words) {
    auto equals = word.find('=');
    std::string name = word.substr(0, equals);
    if (equals == std::string::npos || !types.contains(name))
      throw UsageError("a key of " + table + " is " + names + ", not '" + word + "'");
    key[name] = json::object{{types[name], word.substr(equals + 1)}};
  }
  if (key.size() != types.size()) throw UsageError("a key of " + table + " is " + names);
  return json::serialize(key);
}

}  // namespace meridian::cli
