#include "common/config.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

namespace meridian {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// listen.table -> listen-table
std::string flag_word(std::string_view name) {
  std::string word(name);
  for (char& c : word)
    if (c == '.' || c == '_') c = '-';
  return word;
}

// listen.table -> MERIDIAN_LISTEN_TABLE
std::string environment_name(std::string_view name) {
  std::string out = "MERIDIAN_";
  for (char c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    out.push_back(c == '.' || c == '-' ? '_' : c);
  }
  return out;
}

std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) {
    if (!out.empty()) out.push_back('\n');
    out += line;
  }
  return out;
}

std::string as_text(const Pairs& pairs) {
  std::string out;
  for (const auto& [first, second] : pairs) {
    if (!out.empty()) out.push_back(',');
    out.append(first).append("=").append(second);
  }
  return out;
}

YAML::Node load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw ConfigError("cannot read the configuration file " + path);
  std::ostringstream content;
  content << in.rdbuf();
  try {
    YAML::Node root = YAML::Load(content.str());
    if (!root.IsMap() && !root.IsNull()) throw ConfigError(path + " is not a YAML map of settings");
    return root;
  } catch (const YAML::Exception& e) {
    throw ConfigError(path + " is not YAML: " + e.what());
  }
}

}  // namespace

struct ConfigSource::State {
  struct Flag {
    std::optional<std::string> value;
    bool known = false;
  };
  struct Found {
    std::string value;
    std::string source;
  };

  std::map<std::string, Flag> flags;         // by flag word
  std::map<std::string, YAML::Node> leaves;  // of the file, by dotted name; scalars and lists
  std::string file;
  std::set<std::string> asked;
  std::vector<std::string> problems;
  std::vector<std::string> settings;

  void read_flags(int argc, const char* const* argv);
  void flatten(const YAML::Node& node, const std::string& prefix);
  std::optional<Found> find_outside_file(const std::string& name);
  std::optional<Found> find_scalar(const std::string& name);
  Pairs pairs_of_text(const std::string& name, const Found& found);
  Pairs pairs_of_file(const std::string& name, const std::string& first_key,
                      const std::string& second_key);
  void remember(const std::string& name, const std::string& value, const std::string& source) {
    settings.push_back(name + " = " + value + " (" + source + ")");
  }
};

void ConfigSource::State::read_flags(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (word.size() < 3 || !word.starts_with("--")) {
      problems.push_back("unexpected argument '" + std::string(word) + "'; flags begin with --");
      continue;
    }
    word.remove_prefix(2);
    Flag flag;
    auto equals = word.find('=');
    if (equals != std::string_view::npos) {
      flag.value = std::string(word.substr(equals + 1));
      word = word.substr(0, equals);
    } else if (i + 1 < argc && !std::string_view(argv[i + 1]).starts_with("--")) {
      flag.value = argv[++i];
    }
    if (!flags.emplace(std::string(word), flag).second)
      problems.push_back("flag --" + std::string(word) + " is given twice");
  }
}

void ConfigSource::State::flatten(const YAML::Node& node, const std::string& prefix) {
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) {
      problems.push_back("a key in " + file + " is not a word");
      continue;
    }
    std::string name = prefix + entry.first.Scalar();
    if (entry.second.IsMap()) {
      flatten(entry.second, name + ".");
    } else if (!leaves.emplace(name, entry.second).second) {
      problems.push_back("key " + name + " is given twice in " + file);
    }
  }
}

std::optional<ConfigSource::State::Found> ConfigSource::State::find_outside_file(
    const std::string& name) {
  asked.insert(name);
  auto flag = flags.find(flag_word(name));
  if (flag != flags.end()) {
    flag->second.known = true;
    if (flag->second.value) return Found{*flag->second.value, "flag --" + flag->first};
    problems.push_back("flag --" + flag->first + " needs a value");
  }
  std::string variable = environment_name(name);
  // Settings are read once, before any thread exists.
  if (const char* value = std::getenv(variable.c_str()))  // NOLINT(concurrency-mt-unsafe)
    return Found{value, "environment " + variable};
  return std::nullopt;
}

std::optional<ConfigSource::State::Found> ConfigSource::State::find_scalar(
    const std::string& name) {
  if (auto found = find_outside_file(name)) return found;
  auto leaf = leaves.find(name);
  if (leaf == leaves.end() || leaf->second.IsNull()) return std::nullopt;
  if (!leaf->second.IsScalar()) {
    problems.push_back(name + " (file " + file + ") must be a single value, not a list");
    return std::nullopt;
  }
  return Found{leaf->second.Scalar(), "file " + file};
}

Pairs ConfigSource::State::pairs_of_text(const std::string& name, const Found& found) {
  Pairs out;
  std::istringstream in(found.value);
  for (std::string piece; std::getline(in, piece, ',');) {
    auto equals = piece.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == piece.size()) {
      problems.push_back(name + " (" + found.source + "): '" + piece + "' is not of the form a=b");
      continue;
    }
    out.emplace_back(piece.substr(0, equals), piece.substr(equals + 1));
  }
  return out;
}

Pairs ConfigSource::State::pairs_of_file(const std::string& name, const std::string& first_key,
                                         const std::string& second_key) {
  Pairs out;
  auto leaf = leaves.find(name);
  if (leaf == leaves.end() || leaf->second.IsNull()) return out;
  std::string shape = "a list of {" + first_key + ", " + second_key + "}";
  if (!leaf->second.IsSequence()) {
    problems.push_back(name + " (file " + file + ") must be " + shape);
    return out;
  }
  for (const auto& entry : leaf->second) {
    bool fits = entry.IsMap() && entry.size() == 2 && entry[first_key] && entry[second_key] &&
                entry[first_key].IsScalar() && entry[second_key].IsScalar();
    if (!fits) {
      problems.push_back(name + " (file " + file + "): every entry must have exactly " + first_key +
                         " and " + second_key);
      continue;
    }
    out.emplace_back(entry[first_key].Scalar(), entry[second_key].Scalar());
  }
  return out;
}

ConfigSource::ConfigSource(int argc, const char* const* argv) : state_(std::make_unique<State>()) {
  state_->read_flags(argc, argv);
  auto config = state_->flags.find("config");
  if (config == state_->flags.end()) return;
  config->second.known = true;
  if (!config->second.value) throw ConfigError("flag --config needs the name of a YAML file");
  state_->file = *config->second.value;
  state_->flatten(load(state_->file), "");
}

ConfigSource::~ConfigSource() = default;

std::string ConfigSource::text(const std::string& name,
                               const std::optional<std::string>& fallback) {
  auto found = state_->find_scalar(name);
  if (!found && !fallback) {
    complain(name + " is not set: give it in the file, as --" + flag_word(name) + " or as " +
             environment_name(name));
    return {};
  }
  if (!found) found = State::Found{*fallback, "default"};
  state_->remember(name, found->value, found->source);
  return found->value;
}

std::int64_t ConfigSource::integer(const std::string& name, std::int64_t fallback,
                                   std::int64_t least, std::int64_t most) {
  auto found = state_->find_scalar(name);
  if (!found) {
    state_->remember(name, std::to_string(fallback), "default");
    return fallback;
  }
  std::int64_t value = 0;
  const char* end = found->value.data() + found->value.size();
  auto parsed = std::from_chars(found->value.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value < least || value > most) {
    complain(name + " (" + found->source + "): '" + found->value + "' is not a whole number from " +
             std::to_string(least) + " to " + std::to_string(most));
    return fallback;
  }
  state_->remember(name, found->value, found->source);
  return value;
}

bool ConfigSource::flag(const std::string& name, bool fallback) {
  auto given_flag = state_->flags.find(flag_word(name));
  if (given_flag != state_->flags.end() && !given_flag->second.value)
    given_flag->second.value = "true";
  auto found = state_->find_scalar(name);
  if (!found) found = State::Found{fallback ? "true" : "false", "default"};
  if (found->value != "true" && found->value != "false") {
    complain(name + " (" + found->source + "): '" + found->value + "' is neither true nor false");
    return fallback;
  }
  state_->remember(name, found->value, found->source);
  return found->value == "true";
}

Pairs ConfigSource::pairs(const std::string& name, const std::string& first_key,
                          const std::string& second_key) {
  auto found = state_->find_outside_file(name);
  if (found) {
    auto out = state_->pairs_of_text(name, *found);
    state_->remember(name, as_text(out), found->source);
    return out;
  }
  auto out = state_->pairs_of_file(name, first_key, second_key);
  bool in_file = state_->leaves.contains(name);
  state_->remember(name, as_text(out), in_file ? "file " + state_->file : "default");
  return out;
}

void ConfigSource::complain(const std::string& problem) { state_->problems.push_back(problem); }

bool ConfigSource::given(const std::string& word) {
  auto at = state_->flags.find(word);
  if (at == state_->flags.end()) return false;
  at->second.known = true;
  if (at->second.value) complain("flag --" + word + " takes no value");
  return true;
}

void ConfigSource::finish() {
  for (const auto& [word, flag] : state_->flags)
    if (!flag.known) complain("unknown flag --" + word);
  for (const auto& [name, node] : state_->leaves)
    if (!state_->asked.contains(name))
      complain("unknown key " + name + " (file " + state_->file + ")");
  if (!state_->problems.empty()) throw ConfigError(join(state_->problems));
}

std::vector<std::string> ConfigSource::describe() const { return state_->settings; }

}  // namespace meridian
