// The commands of `meridian`, one function each; main.cc only reads the command line.
//
// Threads: one.  Errors: UsageError, ApiFailure and http::HttpError escape to main, which prints
// them and answers with an exit code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/meridian/deployment.h"
#include "tools/meridian/output.h"

namespace meridian::cli {

enum Exit : int {
  kExitYes = 0,          // done, or the answer is yes
  kExitNo = 1,           // the answer is no: regions differ, something is not ready
  kExitUsage = 2,        // the command line or the deployment file is wrong
  kExitUnreachable = 3,  // a region that had to answer did not
  kExitRefused = 4,      // a region refused the request; its error is printed
};

struct Options {
  DeploymentChoice deployment;
  std::optional<std::string> endpoint;  // table endpoint, host:port or a URL; for `table` only
  Format format = Format::table;
};

int show_status(const Options& options);
// Is the one daemon at `admin` (host:port) ready?  For health checks, which have no other client.
int show_ready(const std::string& admin);

struct VerifyOptions {
  std::string table;
  std::int64_t settle_ms = 5000;
  std::size_t list_max = 100;  // differing keys that are listed; all are counted
  bool repair = false;         // first have every pair of regions mend what differs
  std::int64_t wait_ms = 600'000;  // for that
  bool watch = false;              // compare again and again
  std::int64_t every_ms = 10'000;
  std::int64_t rounds_max = 0;  // 0: until interrupted
};
int verify(const Options& options, const VerifyOptions& verify);

struct CreateOptions {
  std::string name;
  std::string key;                   // "customer:S"
  std::string sort;                  // the same, or empty
  std::string stream;                // view type, or empty for none
  std::vector<std::string> regions;  // the first is where it is created
  bool if_missing = false;
};
int create_table(const Options& options, const CreateOptions& create);
int list_tables(const Options& options);
int describe_table(const Options& options, const std::string& name);
struct DeleteOptions {
  std::string name;
  bool yes = false;
};
int delete_table(const Options& options, const DeleteOptions& deletion);

// Prints `table` as text or CSV, or `json_text` and a line end.
void print_result(Format format, const Table& table, const std::string& json_text);
// Sleep; for polling, and for what is due at a time.
void pause_ms(std::int64_t ms);
void pause_us(std::int64_t us);

}  // namespace meridian::cli
