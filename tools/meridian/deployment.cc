#include "tools/meridian/deployment.h"

#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <sstream>

#include "common/token_file.h"

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

std::string token_in(const std::string& file) {
  auto token = read_token(file);
  if (!token.ok()) throw UsageError("admin token: " + token.error());
  return *token;
}

// What `node` names as admin_token_file, from the folder of the deployment file on; else `fallback`.
std::string token_of(const YAML::Node& node, const std::string& path, std::string fallback) {
  if (!node["admin_token_file"]) return fallback;
  auto folder = std::filesystem::path(path).parent_path();
  return token_in((folder / node["admin_token_file"].as<std::string>()).string());
}

Endpoints read_region(const YAML::Node& node, const std::string& path, const std::string& token) {
  auto field = [&node](const char* key) {
    return node[key] ? node[key].as<std::string>() : std::string();
  };
  Endpoints region{field("name"), field("table"), field("streams"), {field("admin"), token},
                   field("peer"), {}};
  if (node["replicator_admin"]) region.replicators.push_back({field("replicator_admin"), token});
  // Of workers beside the first.
  for (const auto& worker : node["worker_admins"])
    region.replicators.push_back({worker.as<std::string>(), token});
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

Deployment load_deployment(const DeploymentChoice& choice) {
  Deployment out;
  out.path = choice.file ? *choice.file : find_upward();
  bool given = choice.admin_token_file.has_value();
  try {
    YAML::Node root = YAML::LoadFile(out.path);
    out.compose = read_compose(root["compose"]);
    out.admin_token = given ? token_in(*choice.admin_token_file) : token_of(root, out.path, "");
    for (const auto& node : root["regions"]) {
      auto token = given ? out.admin_token : token_of(node, out.path, out.admin_token);
      out.regions.push_back(read_region(node, out.path, token));
    }
  } catch (const YAML::BadFile&) {
    throw UsageError("cannot read " + out.path + "; deploy/up writes one");
  } catch (const YAML::Exception& e) {
    throw UsageError(out.path + " is not a deployment file: " + e.what());
  }
  if (out.regions.empty()) throw UsageError(out.path + " lists no regions");
  return out;
}

}  // namespace meridian::cli
