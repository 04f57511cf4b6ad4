#include "tools/meridian/deployment.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <sstream>

namespace meridian::cli {
namespace {

std::string find_upward() {
  namespace fs = std::filesystem;
  fs::path folder = fs::current_path();
  for (;;) {
    fs::path candidate = folder / "var" / "deployment.yaml";
    if (fs::exists(candidate)) return candidate.string();
    if (folder == folder.parent_path()) break;
    folder = folder.parent_path();
  }
  throw UsageError(
      "no var/deployment.yaml here or in a folder above: start a deployment with "
      "deploy/up, or name one with --deployment FILE");
}

Endpoints read_region(const YAML::Node& node, const std::string& path) {
  auto field = [&node](const char* key) {
    return node[key] ? node[key].as<std::string>() : std::string();
  };
  Endpoints region{field("name"), field("table"), field("streams"), field("admin"), field("peer"),
                   {}};
  if (node["replicator_admin"]) region.replicators.push_back(field("replicator_admin"));
  // Of workers beside the first.
  for (const auto& worker : node["worker_admins"])
    region.replicators.push_back(worker.as<std::string>());
  if (region.name.empty() || region.table.empty() || region.admin.empty())
    throw UsageError(path + ": every region needs a name, a table and an admin address");
  return region;
}

std::optional<Compose> read_compose(const YAML::Node& node) {
  if (!node) return std::nullopt;
  Compose out;
  std::istringstream words(node["command"].as<std::string>());
  for (std::string word; words >> word;) out.command.push_back(word);
  out.project = node["project"].as<std::string>();
  out.file = node["file"].as<std::string>();
  return out;
}

}  // namespace

const Endpoints& Deployment::region(const std::string& name) const {
  std::string names;
  for (const auto& one : regions) {
    if (one.name == name) return one;
    names += (names.empty() ? "" : ", ") + one.name;
  }
  throw UsageError("no region " + name + " in " + path + "; there are " + names);
}

Deployment load_deployment(const std::optional<std::string>& path) {
  Deployment out;
  out.path = path ? *path : find_upward();
  try {
    YAML::Node root = YAML::LoadFile(out.path);
    out.compose = read_compose(root["compose"]);
    for (const auto& node : root["regions"]) out.regions.push_back(read_region(node, out.path));
  } catch (const YAML::BadFile&) {
    throw UsageError("cannot read " + out.path + "; deploy/up writes one");
  } catch (const YAML::Exception& e) {
    throw UsageError(out.path + " is not a deployment file: " + e.what());
  }
  if (out.regions.empty()) throw UsageError(out.path + " lists no regions");
  return out;
}

}  // namespace meridian::cli
