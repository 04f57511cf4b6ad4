#include "tools/meridian/clock.h"

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <memory>

#include "tools/meridian/client.h"
#include "tools/meridian/links.h"
#include "tools/meridian/quantity.h"

namespace meridian::cli {
namespace json = boost::json;

namespace {

constexpr std::int64_t kReleaseMsMax = 30'000;

struct Choice {
  std::string region;
  std::string source;
  std::string until_ms;
  std::string by = "0";
  std::string duration = "30s";
  bool yes = false;
};

double number_at(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  boost::system::error_code error;
  return value == nullptr ? 0 : value->to_number<double>(error);
}

// What one region says of itself and of those that it holds.
std::string verdict(const json::object& clock) {
  std::string out;
  auto add = [&out](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  if (clock.at("stepped").as_bool())
    add("stepped by " + readable_ms(number_at(clock, "step_ms")) + ", client writes are refused");
  double ahead = number_at(clock, "minted_ahead_ms");
  if (ahead > number_at(clock, "bound_ms"))
    add("behind its own newest version by " + readable_ms(ahead) + ", client writes are refused");
  for (const auto& entry : clock.at("held").as_array()) {
    const json::object& held = entry.as_object();
    add("holds " + text_at(held, "source") + ", " + readable_ms(number_at(held, "ahead_ms")) +
        " ahead");
  }
  for (const auto& entry : clock.at("released").as_array())
    add("takes " + text_at(entry.as_object(), "source") + " on an operator's word");
  return out;
}

int status(const Options& options) {
  Deployment deployment = load_deployment(options.deployment);
  std::vector<Page> pages;
  for (const auto& region : deployment.regions) pages.push_back({region.admin, "/v1/clock"});
  auto answers = fetch_all(pages);
  Table table{{"region", "state", "offset", "reason"}, {}};
  json::array regions;
  bool agree = true;
  bool unreachable = false;
  auto offsets = read_offsets(deployment);
  for (std::size_t i = 0; i < deployment.regions.size(); ++i) {
    const std::string& name = deployment.regions[i].name;
    std::string offset;
    json::object measured;
    for (const auto& [link, ms] : offsets) {
      if (link.second != name) continue;
      measured[link.first] = ms;
      offset += (offset.empty() ? "" : ", ") + readable_ms(ms) + " to " + link.first;
    }
    if (!answers[i].body) {
      unreachable = true;
      table.rows.push_back({name, coloured("unknown", Mood::bad), offset, answers[i].problem});
      continue;
    }
    json::object clock = answers[i].body->as_object();
    std::string reason = verdict(clock);
    agree &= reason.empty();
    table.rows.push_back({name,
                          reason.empty() ? coloured("fine", Mood::good)
                                         : coloured("disagrees", Mood::bad),
                          offset.empty() ? "-" : offset, reason});
    clock["offset_ms"] = std::move(measured);
    regions.push_back(std::move(clock));
  }
  print_result(options.format, table, json::serialize(json::object{{"regions", regions}}));
  if (unreachable) return kExitUnreachable;
  return agree ? kExitYes : kExitNo;
}

json::object call(const Endpoints& region, const std::string& target) {
  AdminClient client(region.admin, kReleaseMsMax);
  return expect_object(region.name, post(client, target));
}

int accept(const Options& options, const Choice& choice) {
  Deployment deployment = load_deployment(options.deployment);
  const Endpoints& region = deployment.region(choice.region);
  if (choice.source.empty()) {
    if (!choice.until_ms.empty()) throw UsageError("--until-ms goes with --from");
    json::object answer = call(region, "/v1/clock/accept");
    print_result(options.format, {{"region", "result"}, {{region.name, "wall clock accepted"}}},
                 json::serialize(answer));
    return kExitYes;
  }
  (void)deployment.region(choice.source);
  std::string target = "/v1/clock/release?source=" + choice.source + "&until=" + choice.until_ms;
  if (!choice.yes)
    throw UsageError(
        "this applies versions of " + choice.source + " in " + region.name +
        " that lie beyond the clock bound: until the clock has come that far, later writes to those"
        " items are refused in " + region.name + ", or lose; say --yes to do it");
  json::object answer = call(region, target);
  print_result(options.format,
               {{"region", "source", "until_ms"},
                {{region.name, choice.source, json::serialize(answer.at("until_ms"))}}},
               json::serialize(answer));
  return kExitYes;
}

int shift(const Options& options, const Choice& choice) {
  Deployment deployment = load_deployment(options.deployment);
  const Endpoints& region = deployment.region(choice.region);
  bool back = choice.by.starts_with('-');
  std::int64_t by_ms = parse_ms("--by", back ? choice.by.substr(1) : choice.by);
  if (by_ms != 0 && !choice.yes)
    throw UsageError("this sets the clock of " + region.name + " off by " + choice.by + " for " +
                     choice.duration + ": it then refuses writes; say --yes to do it");
  json::object answer =
      call(region, "/v1/clock/shift?by_ms=" + std::to_string(back ? -by_ms : by_ms) +
                       "&for_ms=" + std::to_string(parse_ms("--for", choice.duration)));
  print_result(options.format,
               {{"region", "by_ms", "left_ms"},
                {{region.name, json::serialize(answer.at("by_ms")),
                  json::serialize(answer.at("left_ms"))}}},
               json::serialize(answer));
  return kExitYes;
}

}  // namespace

void add_clock_commands(CLI::App& app, const Options& options, std::function<int()>& run) {
  auto choice = std::make_shared<Choice>();
  auto* clock = app.add_subcommand("clock", "Clocks that disagree: status, accept, shift");
  clock->require_subcommand(1);
  auto* status_command =
      clock->add_subcommand("status", "Do the regions' clocks agree?  Who holds whose versions?");
  status_command->callback([&options, &run] { run = [&options] { return status(options); }; });

  auto* accept_command = clock->add_subcommand(
      "accept",
      "Take a region's wall clock as it is after a step; with --from, take what the region holds of"
      " another one that is ahead");
  accept_command->add_option("--region", choice->region, "The region that accepts")->required();
  accept_command->add_option("--from", choice->source, "The region whose versions are held");
  accept_command->add_option("--until-ms", choice->until_ms,
                             "Take them up to that time, in ms since 1970 (default: what is held)");
  accept_command->add_flag("--yes", choice->yes, "Do it");
  accept_command->callback([&options, &run, choice] {
    run = [&options, choice] { return accept(options, *choice); };
  });

  auto* shift_command = clock->add_subcommand(
      "shift", "Set a region's wall clock off on purpose; it is right again by itself");
  shift_command->add_option("--region", choice->region, "The region")->required();
  shift_command->add_option("--by", choice->by, "How far, such as 10m or -10m; 0 puts it right");
  shift_command->add_option("--for", choice->duration, "How long (default 30s)");
  shift_command->add_flag("--yes", choice->yes, "Do it");
  shift_command->callback([&options, &run, choice] {
    run = [&options, choice] { return shift(options, *choice); };
  });
}

}  // namespace meridian::cli
