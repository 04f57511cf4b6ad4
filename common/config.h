// ConfigSource: where a daemon's settings come from: flag, then environment, then YAML file, then
// default.  Every value remembers its source; all errors are collected and reported together.
//
// A setting named `data_dir` is the YAML key data_dir, the flag --data-dir and the environment
// variable MERIDIAN_DATA_DIR; nested keys join with a dot (listen.table, --listen-table,
// MERIDIAN_LISTEN_TABLE).
// Threads: used once, at start.  Errors: ConfigError with every problem, a line each.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace meridian {

class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class ConfigSource {
 public:
  // Reads --config FILE and the other flags of `argv`; --help and --version are left to the caller.
  // Throws ConfigError when the file cannot be read or is not YAML.
  ConfigSource(int argc, const char* const* argv);
  ~ConfigSource();

  std::string text(const std::string& name, const std::optional<std::string>& fallback);
  std::int64_t integer(const std::string& name, std::int64_t fallback, std::int64_t least,
                       std::int64_t most);
  bool flag(const std::string& name, bool fallback);
  // A YAML list of maps with the given keys, such as peers: [{region, address}]; on the command line
  // and in the environment "region=address,region=address".
  std::vector<std::pair<std::string, std::string>> pairs(const std::string& name,
                                                         const std::string& first_key,
                                                         const std::string& second_key);
  void complain(const std::string& problem);

  // True when the word was given as a flag (--help, --check-config); it is then known.
  bool given(const std::string& word);

  // Throws ConfigError if anything was wrong or a key or flag is unknown.
  void finish();
  // One "name = value (source)" line per setting, in the order asked for.
  [[nodiscard]] std::vector<std::string> describe() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meridian
