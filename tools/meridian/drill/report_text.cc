// The report for people: the verdict block and report.md.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>

#include "tools/meridian/drill/report.h"

namespace meridian::drill {
namespace json = boost::json;

namespace {

// "4.8 s", or "-" for what was not measured.
std::string shown(const json::object& object, const char* key, const char* unit) {
  const json::value& value = object.at(key);
  if (!value.is_number()) return "-";
  double number = value.to_number<double>();
  bool whole = number == std::floor(number) && unit[0] == '\0';
  int digits = whole ? 0 : number < 10 ? 2 : 1;
  return fmt::format("{:.{}f}{}", number, digits, unit);
}

std::string text_of(const json::value& value) { return std::string(value.as_string()); }

std::string rpo_line(const json::object& report) {
  const auto& rpo = report.at("rpo").as_object();
  if (rpo.at("writes").is_null()) return "- (nothing was broken)";
  std::string out = fmt::format("{} acknowledged writes / {}", shown(rpo, "writes", ""),
                                shown(rpo, "seconds", " s"));
  if (text_of(rpo.at("at")) == "cut-over")
    out += fmt::format(" (target {})",
                       shown(report.at("objectives").as_object(), "rpo_s", " s"));
  else
    out += " at the end of the fault, had the region been lost then (clients stayed)";
  return out + fmt::format("; then {} arrived late, {} beaten, {} lost",
                           shown(rpo, "then_arrived_late", ""), shown(rpo, "then_beaten", ""),
                           shown(rpo, "then_lost", ""));
}

std::string failback_line(const json::object& report) {
  const auto& back = report.at("failback").as_object();
  if (back.at("longest_outage_s").is_null()) return "-";
  return fmt::format("{} until the region acknowledged again, longest outage {}; {} writes of the "
                     "survivor / {} were not there yet",
                     shown(back, "switch_s", " s"), shown(back, "longest_outage_s", " s"),
                     shown(back, "missing_writes", ""), shown(back, "missing_s", " s"));
}

std::string equality_line(const json::object& report) {
  const auto& equality = report.at("equality").as_object();
  const auto& identical = equality.at("identical");
  if (!identical.is_bool()) return "not known";
  if (!identical.as_bool()) return "no, " + shown(equality, "differing", "") + " items differ";
  return fmt::format("yes ({} items, digest {}, {} of {} regions)", shown(equality, "items", ""),
                     equality.at("digest").is_string() ? text_of(equality.at("digest")) : "-",
                     report.at("regions").as_array().size(),
                     report.at("regions").as_array().size());
}

}  // namespace

std::string verdict_text(const json::object& report) {
  const auto& rto = report.at("rto").as_object();
  const auto& aims = report.at("objectives").as_object();
  const auto& writes = report.at("writes").as_object();
  const auto& reads = report.at("reads").as_object();
  const auto& catch_up = report.at("catch_up").as_object();
  std::string out =
      fmt::format("{}  {} of {}  {}\n", text_of(report.at("id")), text_of(report.at("scenario")),
                  text_of(report.at("region")), text_of(report.at("verdict")));
  auto line = [&out](const char* name, const std::string& text) {
    out += fmt::format("  {:<14} {}\n", name, text);
  };
  if (!text_of(report.at("aborted")).empty()) line("aborted", text_of(report.at("aborted")));
  for (const auto& reason : report.at("missed").as_array()) line("missed", text_of(reason));
  line("RTO", fmt::format("{} (target {}): detect {} + switch {}", shown(rto, "total_s", " s"),
                          shown(aims, "rto_s", " s"), shown(rto, "detect_s", " s"),
                          shown(rto, "switch_s", " s")));
  line("RPO", rpo_line(report));
  double attempts = std::max(1.0, writes.at("attempts").to_number<double>());
  line("client errors",
       fmt::format("{} of {} attempts ({:.2f} %), longest outage {}",
                   shown(writes, "failed_attempts", ""), shown(writes, "attempts", ""),
                   100.0 * writes.at("failed_attempts").to_number<double>() / attempts,
                   shown(report, "longest_outage_s", " s")));
  line("stale reads",
       fmt::format("{} of {}, the oldest {} after its write was acknowledged",
                   shown(reads, "stale", ""), shown(reads, "answered", ""),
                   shown(reads, "oldest_stale_s", " s")));
  line("catch-up", fmt::format("{} after the heal; {} records waited, {} a second",
                               shown(catch_up, "seconds", " s"),
                               shown(catch_up, "pending_records_at_heal", ""),
                               shown(catch_up, "records_per_second", "")));
  line("failback", failback_line(report));
  line("conflicts", fmt::format("{} listed; {} writes of shared keys beaten by later ones",
                                shown(report, "conflicts", ""), shown(writes, "beaten", "")));
  line("in the end", fmt::format("{} acknowledged, {} lost", shown(writes, "acknowledged", ""),
                                 shown(writes, "lost", "")));
  line("identical", equality_line(report));
  return out;
}

std::string report_markdown(const json::object& report) {
  std::string out = fmt::format("# {}: {} of {}, {}\n\n```\n{}```\n\n", text_of(report.at("id")),
                                text_of(report.at("scenario")), text_of(report.at("region")),
                                text_of(report.at("verdict")), verdict_text(report));
  out += fmt::format("Began {}. Command: `{}`. Seed {}.\n\n## Timeline\n\n",
                     text_of(report.at("began")), text_of(report.at("command")),
                     json::serialize(report.at("seed")));
  out += "| seconds | phase | what |\n| ---: | --- | --- |\n";
  for (const auto& entry : report.at("timeline").as_array()) {
    const auto& event = entry.as_object();
    out += fmt::format("| {:.1f} | {} | {} |\n", event.at("at_s").to_number<double>(),
                       text_of(event.at("phase")), text_of(event.at("text")));
  }
  out += "\n## What the figures mean\n\n";
  for (const auto& [name, meaning] : definitions())
    out += "- **" + std::string(name) + "**: " + meaning + "\n";
  return out +
         "\n## To be filled in\n\n| observation | severity | action | owner | due |\n"
         "| --- | --- | --- | --- | --- |\n| | | | | |\n\nLead: \nApproved: \n";
}

const std::vector<std::pair<const char*, const char*>>& definitions() {
  static const std::vector<std::pair<const char*, const char*>> kAll{
      {"RTO",
       "from the fault (of a planned drill: from the word to go) to the first write of the "
       "region's clients that another region acknowledged; detect until clients notice, switch "
       "from there"},
      {"RPO",
       "writes that the region had acknowledged when clients left it and that the survivor did "
       "not have at that moment; in seconds, from the oldest of them to the last that the region "
       "acknowledged"},
      {"arrived late, beaten, lost",
       "what became of them once all was healed: they are in every region; a later write of the "
       "same key won; neither"},
      {"longest outage", "longest time in which no client of the region got an acknowledgement"},
      {"stale reads",
       "consistent reads, in the region that clients are sent to, that did not show a write that "
       "had been acknowledged before"},
      {"catch-up", "from the heal until nothing waited longer than was usual before the fault"},
      {"identical", "key, version and image of every row of the drill's table compared"}};
  return kAll;
}

}  // namespace meridian::drill
