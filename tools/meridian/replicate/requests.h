// Requests: the DynamoDB requests of a load's writes and of the reads that look for them, for a table
// of any key schema.
//
// Every item carries the number of the write that it is from.  Sampled writes have a key of their own,
// so that whoever sees one sees that very write.
// Threads: any, once made.  Errors: UsageError for a table that such items do not fit in.
#pragma once

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/meridian/replicate/tally.h"
#include "tools/meridian/replicate/workload.h"

namespace meridian::replicate {

inline constexpr std::size_t kItemBytesMax = 400 * 1024;

struct Request {
  const char* operation;
  boost::json::object body;
};

class Requests {
 public:
  // `table`: as DescribeTable describes it.  `run`: a number of this run alone, in its keys.
  Requests(const boost::json::object& table, std::string run, std::size_t item_bytes,
           std::uint64_t seed);

  [[nodiscard]] Request write(std::uint64_t number, const Workload::Write& write) const;
  // A put with a key of its own.
  [[nodiscard]] Request sample(std::uint64_t number) const;
  // BatchGetItem of up to kLookMax samples, and which of them its answer shows.
  static constexpr std::size_t kLookMax = 100;
  [[nodiscard]] boost::json::object look(const std::vector<Sample>& samples) const;
  [[nodiscard]] std::vector<std::uint64_t> seen(const boost::json::object& answer) const;

 private:
  struct KeyAttribute {
    std::string name;
    std::string type;
  };
  [[nodiscard]] boost::json::object key(std::uint64_t id) const;
  [[nodiscard]] std::string payload(std::uint64_t number, const boost::json::object& item) const;
  [[nodiscard]] boost::json::object put(std::uint64_t number, std::uint64_t id) const;

  const std::string table_;
  const std::string run_;
  const std::size_t item_bytes_;
  std::vector<KeyAttribute> keys_;
  std::string pool_;  // of random text, from which payloads are cut
};

}  // namespace meridian::replicate
