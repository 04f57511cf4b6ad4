// What `meridian lag` shows of links, for people and for programs.
//
// Threads: one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/meridian/links.h"
#include "tools/meridian/output.h"

namespace meridian::cli {

inline constexpr std::int64_t kLagWindowMsMax = 300'000;

// Empty: all.
struct LagFilter {
  std::string table;
  std::string source;
  std::string sink;
};
std::vector<Link> filtered(std::vector<Link> links, const LagFilter& filter);

enum class Rows { all, sums };
// As a table for people, the links and below them the sums of each when there are several tables;
// as JSON {"links": [...], "sums": [...]}; as CSV one of the two.
std::string render(const std::vector<Link>& links, Format format, Rows rows);

// "Orders us-east-1 -> eu-west-1"
std::string name_of(const Link& link);
// `path` with the names of the link before its extension.
std::string file_for(const std::string& path, const Link& link);

// The trend of links whose worker does not tell it, from one look to the next.
class TrendKeeper {
 public:
  void complete(std::vector<Link>& links);

 private:
  std::map<std::string, double> oldest_ms_;  // at the look before, by name
};

}  // namespace meridian::cli
