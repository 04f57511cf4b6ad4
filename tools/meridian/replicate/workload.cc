#include "tools/meridian/replicate/workload.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "common/check.h"
#include "common/rng.h"
#include "tools/meridian/deployment.h"

namespace meridian::replicate {
namespace {

constexpr double kSkew = 0.99;

std::vector<double> zipf(std::uint64_t keys) {
  std::vector<double> out;
  out.reserve(keys);
  double sum = 0;
  for (std::uint64_t i = 1; i <= keys; ++i) {
    sum += std::pow(static_cast<double>(i), -kSkew);
    out.push_back(sum);
  }
  for (double& share : out) share /= sum;
  return out;
}

}  // namespace

const char* name_of(Kind kind) {
  return kind == Kind::put ? "put" : kind == Kind::update ? "update" : "delete";
}

Mix parse_mix(const std::string& flag, const std::string& text) {
  Mix mix{0, 0, 0};
  std::istringstream parts(text);
  bool fits = !text.empty();
  for (std::string part; std::getline(parts, part, ',');) {
    auto mark = part.find('=');
    std::string name = part.substr(0, mark);
    unsigned* share = name == "put"      ? &mix.put
                      : name == "update" ? &mix.update
                      : name == "delete" ? &mix.remove
                                         : nullptr;
    unsigned value = 0;
    const char* end = part.data() + part.size();
    const char* from = mark == std::string::npos ? end : part.data() + mark + 1;
    auto parsed = std::from_chars(from, end, value);
    fits &= share != nullptr && *share == 0 && parsed.ec == std::errc{} && parsed.ptr == end &&
            value <= 100;
    if (fits) *share = value;
  }
  if (!fits || mix.put + mix.update + mix.remove != 100)
    throw cli::UsageError(flag + " must be shares in percent that make 100, such as "
                          "put=70,update=20,delete=10, not '" + text + "'");
  return mix;
}

Workload::Workload(const WorkloadOptions& options) : options_(options) {
  MERIDIAN_CHECK(options.keys > 0 && options.keys <= kKeysMax);
  if (options.distribution == Distribution::zipf) up_to_ = zipf(options.keys);
}

Workload::Write Workload::at(std::uint64_t number) const {
  // A generator for each number, so that it does not matter which connection takes which.
  Rng rng(options_.seed * 0x2545f4914f6cdd1dULL + number);
  Write out;
  auto percent = static_cast<unsigned>(rng.below(100));
  if (percent >= options_.mix.put)
    out.kind = percent < options_.mix.put + options_.mix.update ? Kind::update : Kind::remove;
  switch (options_.distribution) {
    case Distribution::sequential: out.key = number % options_.keys; break;
    case Distribution::uniform: out.key = rng.below(options_.keys); break;
    case Distribution::zipf: {
      double drawn = static_cast<double>(rng.next() >> 11) * 0x1p-53;
      auto at = std::upper_bound(up_to_.begin(), up_to_.end(), drawn) - up_to_.begin();
      out.key = std::min(static_cast<std::uint64_t>(at), options_.keys - 1);
      break;
    }
  }
  return out;
}

}  // namespace meridian::replicate
