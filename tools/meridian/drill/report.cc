#include "tools/meridian/drill/report.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace meridian::drill {
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

json::value seconds(const std::optional<std::int64_t>& us) {
  if (!us) return nullptr;
  return static_cast<double>(*us) / 1e6;
}

// The time from one moment to another, in seconds; null when either is not known.
json::value between(const std::optional<std::int64_t>& from,
                    const std::optional<std::int64_t>& to) {
  if (!from || !to) return nullptr;
  return std::max(0.0, static_cast<double>(*to - *from) / 1e6);
}

std::string iso_time(std::int64_t wall_us) {
  std::time_t whole = wall_us / 1'000'000;
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     wall_us / 1000 % 1000);
}

json::object write_json(const Write& write) {
  return {{"key", write.key},
          {"value", write.value},
          {"home", write.home},
          {"region", write.region},
          {"shared", write.shared},
          {"due_s", static_cast<double>(write.due_us) / 1e6},
          {"acknowledged_s", static_cast<double>(write.acked_us) / 1e6},
          {"failed_attempts", write.failures}};
}

json::object event_json(const Event& event) {
  return {{"at_s", static_cast<double>(event.at_us) / 1e6},
          {"wall", iso_time(event.wall_us)},
          {"phase", event.phase},
          {"text", event.text}};
}

json::object objectives_json(const DrillOptions& options) {
  json::object out{{"rto_s", static_cast<double>(options.rto_ms_max) / 1e3},
                   {"rpo_s", static_cast<double>(options.rpo_ms_max) / 1e3},
                   {"rpo_writes", nullptr},
                   {"lost_writes", 0}};
  if (options.rpo_writes_max) out["rpo_writes"] = *options.rpo_writes_max;
  return out;
}

json::object rto_json(const DrillResult& result) {
  return {{"total_s", between(result.fault_us, result.switched_us)},
          {"detect_s", between(result.fault_us, result.detected_us)},
          {"switch_s",
           between(result.detected_us ? result.detected_us : result.cut_us, result.switched_us)},
          {"detected_by", result.detected_by}};
}

json::object rpo_json(const DrillResult& result) {
  if (!result.cut_us) return {{"writes", nullptr}, {"seconds", nullptr}};
  return {{"writes", result.loss.writes.size()},
          {"seconds", static_cast<double>(result.loss.age_us) / 1e6},
          {"then_arrived_late", result.lost_then.late.size()},
          {"then_beaten", result.lost_then.beaten.size()},
          {"then_lost", result.lost_then.lost.size()}};
}

json::object catch_up_json(const DrillResult& result) {
  json::object out{{"seconds", between(result.healed_us, result.caught_up_us)},
                   {"pending_records_at_heal", result.pending_at_heal},
                   {"records_per_second", nullptr}};
  if (result.healed_us && result.caught_up_us && *result.caught_up_us > *result.healed_us)
    out["records_per_second"] = static_cast<double>(result.pending_at_heal) * 1e6 /
                                static_cast<double>(*result.caught_up_us - *result.healed_us);
  return out;
}

void put_file(const fs::path& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

std::string lines_of(const std::vector<Write>& writes) {
  std::string out;
  for (const auto& write : writes) out += json::serialize(write_json(write)) + "\n";
  return out;
}

std::string lag_csv(const std::vector<Sample>& samples) {
  std::string out =
      "at_s,source,sink,state,pending_records,oldest_pending_ms,p99_ms,clock_offset_ms,node_"
      "ready\n";
  auto cell = [](const auto& value) { return value ? fmt::format("{}", *value) : std::string(); };
  for (const auto& sample : samples) {
    double at_s = static_cast<double>(sample.at_us) / 1e6;
    if (sample.links.empty())
      out += fmt::format("{:.3f},{},,,,,,,{}\n", at_s, sample.region, sample.node_ready ? 1 : 0);
    for (const auto& link : sample.links)
      out += fmt::format("{:.3f},{},{},{},{},{},{},{},{}\n", at_s, sample.region, link.sink,
                         link.state, cell(link.pending_records), cell(link.oldest_ms),
                         cell(link.p99_ms), cell(link.clock_offset_ms), sample.node_ready ? 1 : 0);
  }
  return out;
}

// "4.8 s", or "-" for what was not measured.
std::string shown(const json::object& object, const char* key, const char* unit) {
  const json::value& value = object.at(key);
  if (!value.is_number()) return "-";
  double number = value.to_number<double>();
  bool whole = number == std::floor(number) && unit[0] == '\0';
  return fmt::format("{}{}", whole ? fmt::format("{:.0f}", number) : fmt::format("{:.1f}", number),
                     unit);
}

}  // namespace

json::object report_json(const DrillResult& result) {
  std::vector<std::string> missed;
  bool pass = passed(result, missed);
  json::array events;
  for (const auto& event : result.timeline) events.push_back(event_json(event));
  json::array reasons(missed.begin(), missed.end());
  json::array regions(result.regions.begin(), result.regions.end());
  std::size_t acknowledged = 0;
  for (const auto& write : result.writes) acknowledged += write.acked_us != 0 ? 1 : 0;
  json::object out{{"schema_version", kSchemaVersion},
                   {"id", result.id},
                   {"verdict", pass ? "PASS" : "FAIL"},
                   {"missed", std::move(reasons)},
                   {"scenario", result.options.scenario},
                   {"region", result.options.region},
                   {"survivor", result.survivor},
                   {"regions", std::move(regions)},
                   {"began", iso_time(result.began_wall_us)},
                   {"seed", result.options.seed},
                   {"rate_per_second", result.options.rate},
                   {"objectives", objectives_json(result.options)}};
  out["phases"] = json::object{
      {"fault_s", seconds(result.fault_us)},   {"detected_s", seconds(result.detected_us)},
      {"cut_over_s", seconds(result.cut_us)},  {"switched_s", seconds(result.switched_us)},
      {"healed_s", seconds(result.healed_us)}, {"caught_up_s", seconds(result.caught_up_us)}};
  out["rto"] = rto_json(result);
  out["rpo"] = rpo_json(result);
  out["writes"] = json::object{{"acknowledged", acknowledged},
                               {"attempts", result.attempts},
                               {"failed_attempts", result.failures},
                               {"beaten", result.everything.beaten.size()},
                               {"lost", result.everything.lost.size()}};
  out["longest_outage_s"] = static_cast<double>(result.longest_outage_us) / 1e6;
  out["catch_up"] = catch_up_json(result);
  out["identical"] = result.identical ? json::value(*result.identical) : json::value(nullptr);
  out["timeline"] = std::move(events);
  return out;
}

std::string verdict_text(const json::object& report) {
  const auto& rto = report.at("rto").as_object();
  const auto& rpo = report.at("rpo").as_object();
  const auto& aims = report.at("objectives").as_object();
  const auto& writes = report.at("writes").as_object();
  const auto& catch_up = report.at("catch_up").as_object();
  auto text = [](const json::value& value) { return std::string(value.as_string()); };
  std::string out =
      fmt::format("{}  {} of {}  {}\n", text(report.at("id")), text(report.at("scenario")),
                  text(report.at("region")), text(report.at("verdict")));
  for (const auto& reason : report.at("missed").as_array())
    out += "  missed         " + text(reason) + "\n";
  out += fmt::format("  RTO            {} (target {}): detect {} + switch {}\n",
                     shown(rto, "total_s", " s"), shown(aims, "rto_s", " s"),
                     shown(rto, "detect_s", " s"), shown(rto, "switch_s", " s"));
  if (rpo.at("writes").is_null()) {
    out += "  RPO            - (clients stayed)\n";
  } else {
    out += fmt::format(
        "  RPO            {} acknowledged writes / {} (target {}); then {} arrived late, {} were "
        "beaten, {} lost\n",
        shown(rpo, "writes", ""), shown(rpo, "seconds", " s"), shown(aims, "rpo_s", " s"),
        shown(rpo, "then_arrived_late", ""), shown(rpo, "then_beaten", ""),
        shown(rpo, "then_lost", ""));
  }
  double attempts = std::max(1.0, writes.at("attempts").to_number<double>());
  out += fmt::format("  client errors  {} of {} attempts ({:.2f} %), longest outage {}\n",
                     shown(writes, "failed_attempts", ""), shown(writes, "attempts", ""),
                     100.0 * writes.at("failed_attempts").to_number<double>() / attempts,
                     shown(report, "longest_outage_s", " s"));
  out +=
      fmt::format("  catch-up       {} after the heal, {} records waited\n",
                  shown(catch_up, "seconds", " s"), shown(catch_up, "pending_records_at_heal", ""));
  const auto& identical = report.at("identical");
  out += fmt::format(
      "  in the end     {} acknowledged, {} beaten by later writes, {} lost; identical: "
      "{}\n",
      shown(writes, "acknowledged", ""), shown(writes, "beaten", ""), shown(writes, "lost", ""),
      identical.is_bool() ? identical.as_bool() ? "yes" : "no" : "not known");
  return out;
}

std::string report_markdown(const json::object& report) {
  auto text = [](const json::value& value) { return std::string(value.as_string()); };
  std::string out =
      fmt::format("# {}: {} of {}, {}\n\n```\n{}```\n\n## Timeline\n\n", text(report.at("id")),
                  text(report.at("scenario")), text(report.at("region")),
                  text(report.at("verdict")), verdict_text(report));
  out += "| seconds | phase | what |\n| ---: | --- | --- |\n";
  for (const auto& entry : report.at("timeline").as_array()) {
    const auto& event = entry.as_object();
    out += fmt::format("| {:.1f} | {} | {} |\n", event.at("at_s").to_number<double>(),
                       text(event.at("phase")), text(event.at("text")));
  }
  return out +
         "\nRTO: from the fault to the first write that was acknowledged elsewhere. RPO: writes "
         "that the "
         "region had\nacknowledged before clients left it and that the survivor did not have then; "
         "in "
         "seconds, the time from\nthe oldest of them to the last that the region acknowledged.\n";
}

json::object save_report(const DrillResult& result, const std::string& deployment_file,
                         const std::string& folder) {
  fs::path out(folder);
  fs::create_directories(out);
  json::object report = report_json(result);
  put_file(out / "report.json", json::serialize(report) + "\n");
  put_file(out / "report.md", report_markdown(report));
  put_file(out / "report.html", report_html(report, result));
  std::string timeline;
  for (const auto& event : result.timeline) timeline += json::serialize(event_json(event)) + "\n";
  put_file(out / "timeline.jsonl", timeline);
  put_file(out / "lag.csv", lag_csv(result.samples));
  for (const auto& [region, histogram] : result.latency)
    put_file(out / ("latency-" + region + ".hgrm"), histogram);
  put_file(out / "late-writes.jsonl", lines_of(result.lost_then.late));
  put_file(out / "beaten-writes.jsonl", lines_of(result.everything.beaten));
  put_file(out / "lost-writes.jsonl", lines_of(result.everything.lost));
  put_file(out / "verify.json", result.verify_output);
  fs::copy_file(deployment_file, out / "deployment.yaml", fs::copy_options::overwrite_existing);
  return report;
}

json::object load_report(const std::string& folder) {
  fs::path path = fs::path(folder) / "report.json";
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("there is no report in " + folder);
  std::string all((std::istreambuf_iterator<char>(in)), {});
  boost::system::error_code error;
  json::value value = json::parse(all, error);
  if (error || !value.is_object()) throw std::runtime_error(path.string() + " is damaged");
  const json::value* version = value.as_object().if_contains("schema_version");
  if (version == nullptr || !version->is_int64() || version->as_int64() != kSchemaVersion)
    throw std::runtime_error(path.string() + " has another schema than this program knows");
  return value.as_object();
}

}  // namespace meridian::drill
