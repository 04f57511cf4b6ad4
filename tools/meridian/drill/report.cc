#include "tools/meridian/drill/report.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
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
  return {{"total_s", seconds(rto_us(result))},
          {"detect_s", between(result.fault_us, result.detected_us)},
          {"switch_s",
           between(result.detected_us ? result.detected_us : result.cut_us, result.switched_us)},
          {"detected_by", result.detected_by}};
}

json::object rpo_json(const DrillResult& result) {
  json::object out{{"at", result.cut_us ? "cut-over" : "end of the fault"},
                   {"writes", nullptr},
                   {"seconds", nullptr},
                   {"then_arrived_late", nullptr},
                   {"then_beaten", nullptr},
                   {"then_lost", nullptr}};
  if (!result.loss) return out;
  out["writes"] = result.loss->writes.size();
  out["seconds"] = static_cast<double>(result.loss->age_us) / 1e6;
  if (!result.lost_then) return out;
  out["then_arrived_late"] = result.lost_then->late.size();
  out["then_beaten"] = result.lost_then->beaten.size();
  out["then_lost"] = result.lost_then->lost.size();
  return out;
}

json::object failback_json(const DrillResult& result) {
  json::object out{{"switch_s", between(result.returned_us, result.back_us)},
                   {"longest_outage_s", nullptr},
                   {"missing_writes", nullptr},
                   {"missing_s", nullptr}};
  if (!result.returned_us) return out;
  out["longest_outage_s"] = static_cast<double>(result.return_outage_us) / 1e6;
  if (!result.return_loss) return out;
  out["missing_writes"] = result.return_loss->writes.size();
  out["missing_s"] = static_cast<double>(result.return_loss->age_us) / 1e6;
  return out;
}

json::object reads_json(const DrillResult& result) {
  std::int64_t oldest_us = 0;
  std::size_t where_written = 0;
  for (const auto& read : result.stale_reads) {
    oldest_us = std::max(oldest_us, read.at_us - read.acked_us);
    where_written += read.region == read.acknowledged ? 1 : 0;
  }
  return {{"answered", result.reads},
          {"stale", result.stale_reads.size()},
          {"stale_where_written", where_written},
          {"oldest_stale_s", static_cast<double>(oldest_us) / 1e6}};
}

json::object stale_json(const StaleRead& read) {
  return {{"key", read.key},
          {"value", read.value},
          {"acknowledged_by", read.acknowledged},
          {"acknowledged_s", static_cast<double>(read.acked_us) / 1e6},
          {"read_in", read.region},
          {"read_s", static_cast<double>(read.at_us) / 1e6}};
}

// Conflicts that the regions list, and the drill's own count of writes that a later one beat.
json::value conflicts_json(const DrillResult& result) {
  if (!result.conflicts) return nullptr;
  return result.conflicts->size();
}

// What `meridian verify` said, without the list of differences, which verify.json has.
json::object digest_json(const DrillResult& result) {
  json::object out{{"identical", nullptr}, {"digest", nullptr}, {"items", nullptr},
                   {"differing", nullptr}};
  if (result.identical) out["identical"] = *result.identical;
  boost::system::error_code error;
  json::value said = json::parse(result.verify_output, error);
  if (error || !said.is_object()) return out;
  for (const char* key : {"digest", "items", "tombstones", "differing"})
    if (const json::value* value = said.as_object().if_contains(key)) out[key] = *value;
  return out;
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

json::object versions_json(const DrillResult& result) {
  json::object out{{"meridian", MERIDIAN_VERSION}};
  json::object nodes;
  for (const auto& [region, version] : result.versions) nodes[region] = version;
  out["nodes"] = std::move(nodes);
  return out;
}

void put_file(const fs::path& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  out.close();
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

// The deployment file, and beside it what its daemons or containers are started with.
void copy_configuration(const cli::Deployment& deployment, const fs::path& out) {
  fs::create_directories(out);
  auto copy = [&out](const fs::path& from, const std::string& name) {
    std::error_code error;  // that a file is not there, or not for us, is no reason to fail
    fs::copy_file(from, out / name, fs::copy_options::overwrite_existing, error);
  };
  copy(deployment.path, "deployment.yaml");
  if (deployment.compose) {
    fs::path file = deployment.compose->file;
    copy(file, "docker-compose.yml");
    copy(file.parent_path() / ".env", "docker-compose.env");
  }
  fs::path home = fs::absolute(deployment.path).parent_path();
  for (const auto& region : deployment.regions)
    for (auto daemon : {Daemon::node, Daemon::replicator})
      for (const auto& name : names_of(region, daemon))
        copy(home / region.name / (name + ".yaml"), region.name + "-" + name + ".yaml");
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

}  // namespace

std::string timeline_line(const Event& event) { return json::serialize(event_json(event)); }

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
                   {"verdict", !result.aborted.empty() ? "ABORTED" : pass ? "PASS" : "FAIL"},
                   {"aborted", result.aborted},
                   {"missed", std::move(reasons)},
                   {"scenario", result.options.scenario},
                   {"region", result.options.region},
                   {"survivor", result.survivor},
                   {"regions", std::move(regions)},
                   {"began", iso_time(result.began_wall_us)},
                   {"seed", result.options.seed},
                   {"rate_per_second", result.options.rate},
                   {"command", result.command_line},
                   {"versions", versions_json(result)},
                   {"objectives", objectives_json(result.options)}};
  out["phases"] = json::object{
      {"fault_s", seconds(result.fault_us)},   {"detected_s", seconds(result.detected_us)},
      {"cut_over_s", seconds(result.cut_us)},  {"switched_s", seconds(result.switched_us)},
      {"healed_s", seconds(result.healed_us)}, {"caught_up_s", seconds(result.caught_up_us)},
      {"returned_s", seconds(result.returned_us)}, {"back_s", seconds(result.back_us)}};
  out["rto"] = rto_json(result);
  out["rpo"] = rpo_json(result);
  out["writes"] = json::object{{"acknowledged", acknowledged},
                               {"attempts", result.attempts},
                               {"failed_attempts", result.failures},
                               {"beaten", nullptr},
                               {"lost", nullptr}};
  if (result.everything) {
    auto& writes = out["writes"].as_object();
    writes["beaten"] = result.everything->beaten.size();
    writes["lost"] = result.everything->lost.size();
  }
  out["longest_outage_s"] = static_cast<double>(result.longest_outage_us) / 1e6;
  out["catch_up"] = catch_up_json(result);
  out["failback"] = failback_json(result);
  out["reads"] = reads_json(result);
  out["conflicts"] = conflicts_json(result);
  out["equality"] = digest_json(result);
  out["timeline"] = std::move(events);
  return out;
}

json::object save_report(const DrillResult& result, const cli::Deployment& deployment,
                         const std::string& folder) {
  fs::path out(folder);
  fs::create_directories(out);
  json::object report = report_json(result);
  put_file(out / "report.json", json::serialize(report) + "\n");
  put_file(out / "report.md", report_markdown(report));
  put_file(out / "report.html", report_html(report, result));
  std::string timeline;
  for (const auto& event : result.timeline) timeline += timeline_line(event) + "\n";
  put_file(out / "timeline.jsonl", timeline);
  put_file(out / "lag.csv", lag_csv(result.samples));
  for (const auto& [region, histogram] : result.latency)
    put_file(out / ("latency-" + region + ".hgrm"), histogram);
  const Outcome everything = result.everything.value_or(Outcome{});
  put_file(out / "late-writes.jsonl", lines_of(result.lost_then.value_or(Outcome{}).late));
  put_file(out / "beaten-writes.jsonl", lines_of(everything.beaten));
  put_file(out / "lost-writes.jsonl", lines_of(everything.lost));
  put_file(out / "verify.json", result.verify_output);
  std::string stale;
  for (const auto& read : result.stale_reads) stale += json::serialize(stale_json(read)) + "\n";
  put_file(out / "stale-reads.jsonl", stale);
  if (result.conflicts) {
    std::string conflicts;
    for (const auto& line : *result.conflicts) conflicts += line + "\n";
    put_file(out / "conflicts.jsonl", conflicts);
  }
  copy_configuration(deployment, out / "config");
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
