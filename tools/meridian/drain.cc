#include "tools/meridian/drain.h"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "common/clock.h"
#include "tools/meridian/client.h"
#include "tools/meridian/quantity.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::int64_t kPollMs = 100;
constexpr std::int64_t kBarrierMsMax = 10'000;  // the writer may be busy
constexpr std::int64_t kAskAgainMs = 2'000;     // whether the logs of the source still are those asked about

struct Choice {
  std::string from;
  std::string to;
  std::string table;        // empty: all that the two share
  std::string wait = "5s";  // other origins are confirmed by heartbeats, one a second
};

struct TableReport {
  std::string id;
  std::string name;
  std::string left_out;  // why the source has made no barrier over it; empty if it has
  bool drained = false;
  bool member = true;
  bool whole = true;
  bool reached = false;
  std::int64_t parked = 0;
  std::vector<std::string> behind;
  // What the source says is not acknowledged yet.
  std::optional<std::int64_t> pending_records;
  std::optional<std::int64_t> pending_bytes;
  std::optional<double> oldest_ms;
};

struct Outcome {
  std::vector<TableReport> tables;
  json::array not_shared;
  bool drained = false;
  std::string unknown;  // why the sink has not answered
};

std::int64_t steady_ms() { return SystemClock().monotonic_ms(); }

Fetched ask_barrier(AdminClient& client, const Choice& choice) {
  std::string target = "/v1/barrier?sink=" + choice.to;
  if (!choice.table.empty()) target += "&table=" + choice.table;
  return post(client, target);
}

json::object take_barrier(const Endpoints& from, const Choice& choice) {
  AdminClient client(from.admin, kBarrierMsMax);
  return expect_object(from.name, ask_barrier(client, choice));
}

bool flag_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_bool() && value->as_bool();
}

std::vector<TableReport> read_tables(const json::object& answer) {
  std::vector<TableReport> out;
  for (const auto& value : answer.at("tables").as_array()) {
    const json::object& table = value.as_object();
    TableReport& report = out.emplace_back();
    report.id = text_at(table, "id");
    report.name = text_at(table, "name");
    report.drained = flag_at(table, "drained");
    report.member = flag_at(table, "member");
    report.whole = flag_at(table, "whole");
    report.reached = flag_at(table, "reached");
    report.parked = table.at("parked").to_number<std::int64_t>();
    for (const auto& origin : table.at("behind").as_array())
      report.behind.emplace_back(origin.as_string());
  }
  return out;
}

// Of a sink that says nothing, only that it was asked about these.
std::vector<TableReport> unanswered(const json::object& question) {
  std::vector<TableReport> out;
  for (const auto& table : question.at("tables").as_array())
    out.emplace_back().id = text_at(table.as_object(), "id");
  return out;
}

// What only the source knows of the tables.
void add_question(std::vector<TableReport>& tables, const json::object& question) {
  for (const auto& value : question.at("tables").as_array()) {
    const json::object& asked = value.as_object();
    for (auto& report : tables) {
      if (report.id != text_at(asked, "id")) continue;
      report.name = text_at(asked, "name");
      report.left_out = text_at(asked, "left_out");  // (empty from an earlier release)
    }
  }
}

// Whether the sink says yes of every table that it was asked about.
bool all_drained(const std::vector<TableReport>& said, const json::object& question) {
  const json::array& asked = question.at("tables").as_array();
  return !asked.empty() && std::all_of(asked.begin(), asked.end(), [&said](const auto& table) {
    return std::any_of(said.begin(), said.end(), [&table](const TableReport& report) {
      return report.drained && report.id == text_at(table.as_object(), "id");
    });
  });
}

// Whether the sink may say yes to the first question although the second was made later: both are about
// the same tables, no log has begun another stretch, and the source knows of the same ended lives.
bool still_good(const json::object& asked, const json::object& fresh) {
  auto stretches = [](const json::object& question) {
    std::string out = text_at(question, "start");
    for (const auto& value : question.at("tables").as_array()) {
      const json::object& table = value.as_object();
      out += " " + text_at(table, "id") + json::serialize(table.at("unsettled"));
      for (const auto& end : table.at("ends").as_array())
        out += " " + text_at(end.as_object(), "start");
    }
    return out;
  };
  return stretches(asked) == stretches(fresh);
}

// A barrier of a run of the source that is over, or of a log that was renewed, may never be reached, so
// another is taken; so it is once the source can tell of a table that it left out, or has been compared
// with the sink.
void renew(json::object& question, const Endpoints& from, const Choice& choice) {
  AdminClient client(from.admin, kFetchMsMax);
  Fetched answer = ask_barrier(client, choice);
  if (!answer.body || !answer.body->is_object()) return;
  auto& fresh = answer.body->as_object();
  if (!still_good(question, fresh)) question = std::move(fresh);
}

// Asks the sink until it says yes or the wait is over.
Outcome ask_sink(const Endpoints& from, const Endpoints& to, const Choice& choice,
                 json::object question, std::int64_t until_ms) {
  AdminClient client(to.admin, kFetchMsMax);
  std::int64_t renew_ms = steady_ms() + kAskAgainMs;
  for (;;) {
    bool last = steady_ms() >= until_ms;
    Fetched answer = post(client, "/v1/drained", json::serialize(question));
    bool answered = answer.body && answer.body->is_object();
    if (!answered && answer.status != 0) (void)expect_object(to.name, answer);  // throws: it refused
    Outcome outcome;
    outcome.tables = answered ? read_tables(answer.body->as_object()) : unanswered(question);
    outcome.drained = answered && flag_at(answer.body->as_object(), "drained") &&
                      all_drained(outcome.tables, question);
    if (!answered) outcome.unknown = answer.problem;
    if (last || outcome.drained) {
      add_question(outcome.tables, question);
      outcome.not_shared = question.at("not_shared").as_array();
      return outcome;
    }
    if (steady_ms() >= renew_ms) {
      renew(question, from, choice);
      renew_ms = steady_ms() + kAskAgainMs;
    }
    pause_ms(std::min(kPollMs, std::max<std::int64_t>(until_ms - steady_ms(), 0)));
  }
}

// What the source still has to ship to the sink, table by table, as far as it answers.
void add_pending(std::vector<TableReport>& tables, const Endpoints& from, const std::string& to) {
  AdminClient client(from.admin, kFetchMsMax);
  Fetched status = fetch(client, "/v1/status");
  if (!status.body || !status.body->is_object()) return;
  for (const auto& value : status.body->as_object().at("tables").as_array()) {
    const json::object& table = value.as_object();
    for (auto& report : tables) {
      if (report.name != text_at(table, "name")) continue;
      for (const auto& backlog : table.at("backlog").as_array()) {
        const json::object& sink = backlog.as_object();
        if (text_at(sink, "sink") != to) continue;
        report.pending_records = sink.at("pending_records").to_number<std::int64_t>();
        report.pending_bytes = sink.at("pending_bytes").to_number<std::int64_t>();
        if (!sink.at("oldest_pending_ms").is_null())
          report.oldest_ms = sink.at("oldest_pending_ms").to_number<double>();
      }
    }
  }
}

// Why the source has made no barrier over a table, so that nobody can tell what is missing of it.
std::string reason_left_out(const TableReport& table, const Choice& choice) {
  if (table.left_out == "gone") return "deleted in " + choice.from + " meanwhile";
  if (table.left_out == "fenced")
    return "the other regions have removed the replica of " + choice.from +
           " without asking it, and may lack writes of it";
  return choice.from + " has lost writes of its own, and is not told by all the others yet which";
}

std::string reason_of(const TableReport& table, const Outcome& outcome, const Choice& choice) {
  if (table.drained) return "";
  if (!table.left_out.empty()) return reason_left_out(table, choice);
  if (!outcome.unknown.empty()) return choice.to + " does not answer";
  if (!table.member) return choice.to + " holds no replica of it";
  std::string out;
  auto add = [&out](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  if (!table.whole) add("the replica of " + choice.to + " is still being filled");
  if (!table.reached) add("writes of " + choice.from + " are on their way");
  for (const auto& origin : table.behind)
    add(origin == choice.to ? choice.to + " has lost writes of its own that " + choice.from + " has"
                            : choice.from + " may have more of " + origin);
  if (table.parked > 0) add(with_separators(table.parked) + " in quarantine in " + choice.to);
  return out;
}

template <typename T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object as_json(const TableReport& table, const std::string& reason) {
  return {{"name", table.name},
          {"drained", table.drained},
          {"pending_records", or_null(table.pending_records)},
          {"pending_bytes", or_null(table.pending_bytes)},
          {"oldest_pending_ms", or_null(table.oldest_ms)},
          {"parked_records", table.parked},
          {"left_out", table.left_out},
          {"behind_on", json::array(table.behind.begin(), table.behind.end())},
          {"reason", reason}};
}

// Sums over the tables; what the source did not say is not in them.
struct Missing {
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  std::int64_t parked = 0;
  std::optional<double> oldest_ms;
};

Missing sum(const std::vector<TableReport>& tables) {
  Missing out;
  for (const auto& table : tables) {
    out.records += table.pending_records.value_or(0);
    out.bytes += table.pending_bytes.value_or(0);
    out.parked += table.parked;
    if (table.oldest_ms) out.oldest_ms = std::max(out.oldest_ms.value_or(0), *table.oldest_ms);
  }
  return out;
}

void show(const Options& options, const Choice& choice, const Outcome& outcome) {
  Table table{{"table", "drained", "pending", "bytes", "oldest", "parked", "reason"}, {}};
  json::array list;
  for (const auto& one : outcome.tables) {
    auto number = [](const std::optional<std::int64_t>& value) {
      return value ? with_separators(*value) : std::string("-");
    };
    std::string reason = reason_of(one, outcome, choice);
    table.rows.push_back(
        {one.name, one.drained ? coloured("yes", Mood::good) : coloured("no", Mood::bad),
         number(one.pending_records), number(one.pending_bytes),
         one.oldest_ms ? readable_ms(*one.oldest_ms) : "-", with_separators(one.parked), reason});
    list.push_back(as_json(one, reason));
  }
  Missing missing = sum(outcome.tables);
  print_result(options.format, table,
               json::serialize(json::object{{"from", choice.from},
                                            {"to", choice.to},
                                            {"drained", outcome.drained},
                                            {"known", outcome.unknown.empty()},
                                            {"pending_records", missing.records},
                                            {"pending_bytes", missing.bytes},
                                            {"oldest_pending_ms", or_null(missing.oldest_ms)},
                                            {"parked_records", missing.parked},
                                            {"tables", std::move(list)},
                                            {"not_shared", outcome.not_shared}}));
}

void explain(const Choice& choice, const Outcome& outcome) {
  for (const auto& name : outcome.not_shared)
    progress("not replicated to " + choice.to + ": " + std::string(name.as_string()));
  for (const auto& table : outcome.tables)
    if (!table.left_out.empty())
      progress("cannot be proven of " + table.name + ": " + reason_left_out(table, choice));
  if (outcome.tables.empty()) {
    progress("no: no table has replicas in both " + choice.from + " and " + choice.to);
  } else if (outcome.drained) {
    progress("yes: " + choice.to + " has all that " + choice.from + " had acknowledged");
  } else {
    Missing missing = sum(outcome.tables);
    std::string what = with_separators(missing.records) + " records, " +
                       with_separators(missing.bytes) + " bytes";
    if (missing.oldest_ms) what += ", the oldest " + readable_ms(*missing.oldest_ms) + " ago";
    if (missing.parked > 0) what += "; " + with_separators(missing.parked) + " in quarantine";
    bool unproven = std::any_of(outcome.tables.begin(), outcome.tables.end(),
                                [](const auto& table) { return !table.left_out.empty(); });
    if (unproven) what += ", and what cannot be proven";
    progress(outcome.unknown.empty()
                 ? "no: missing in " + choice.to + ": " + what
                 : "not known: " + choice.to + " cannot be reached (" + outcome.unknown +
                       "); not acknowledged by it: " + what);
  }
}

int drain(const Options& options, const Choice& choice) {
  Deployment deployment = load_deployment(options.deployment);
  const Endpoints& from = deployment.region(choice.from);
  const Endpoints& to = deployment.region(choice.to);
  if (from.name == to.name) throw UsageError("--from and --to must be two regions");
  std::int64_t until_ms = steady_ms() + parse_ms("--wait", choice.wait);
  json::object question = take_barrier(from, choice);
  Outcome outcome;
  if (question.at("tables").as_array().empty()) {
    outcome.not_shared = question.at("not_shared").as_array();
  } else {
    outcome = ask_sink(from, to, choice, std::move(question), until_ms);
  }
  if (!outcome.drained) add_pending(outcome.tables, from, to.name);
  show(options, choice, outcome);
  explain(choice, outcome);
  return outcome.drained ? kExitYes : kExitNo;
}

}  // namespace

void add_drain_command(CLI::App& app, const Options& options, std::function<int()>& run) {
  auto choice = std::make_shared<Choice>();
  auto* command = app.add_subcommand(
      "drain", "Does one region have all that another had acknowledged?  Exits 0 if so, else 1");
  command->add_option("--from", choice->from, "The region that is to be drained")->required();
  command->add_option("--to", choice->to, "The region that must have everything")->required();
  command->add_option("--table", choice->table, "This table only");
  command->add_option("--wait", choice->wait, "How long it may take (default 5s)");
  command->callback(
      [&options, &run, choice] { run = [&options, choice] { return drain(options, *choice); }; });
}

}  // namespace meridian::cli
