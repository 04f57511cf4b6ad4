#include "tools/meridian/drill/stop.h"

#include <fmt/format.h>

#include <charconv>

#include "tools/meridian/deployment.h"
#include "tools/meridian/quantity.h"

namespace meridian::drill {
namespace {

constexpr std::int64_t kRatioWindowUs = 10'000'000;
constexpr std::uint64_t kAttemptsMin = 20;  // fewer say nothing

double number_of(const std::string& text, const std::string& condition) {
  double value = 0;
  auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size() || value < 0)
    throw cli::UsageError("--abort-if " + condition + ": a number has to follow the >");
  return value;
}

}  // namespace

StopCondition parse_stop(const std::string& text) {
  using Figure = StopCondition::Figure;
  auto mark = text.find('>');
  std::string name = text.substr(0, mark);
  if (mark == std::string::npos)
    throw cli::UsageError("--abort-if " + text + ": say FIGURE>LIMIT, such as error_ratio>0.5");
  std::string limit = text.substr(mark + 1);
  if (name == "error_ratio") return {Figure::error_ratio, number_of(limit, text), text};
  if (name == "pending") return {Figure::pending, number_of(limit, text), text};
  auto ms = [&limit] { return static_cast<double>(cli::parse_ms("--abort-if", limit)); };
  if (name == "outage") return {Figure::outage, ms(), text};
  if (name == "lag") return {Figure::lag, ms(), text};
  throw cli::UsageError("--abort-if " + text +
                        ": the figures are error_ratio, outage, pending and lag");
}

std::string StopWatch::look(const Figures& now) {
  using Figure = StopCondition::Figure;
  recent_.push_back(now);
  while (now.now_us - recent_.front().now_us > kRatioWindowUs) recent_.pop_front();
  for (const auto& condition : conditions_) {
    double figure = 0;
    switch (condition.figure) {
      case Figure::error_ratio: {
        auto attempts = now.attempts - recent_.front().attempts;
        auto failures = now.failures - recent_.front().failures;
        if (attempts >= kAttemptsMin)
          figure = static_cast<double>(failures) / static_cast<double>(attempts);
        break;
      }
      case Figure::outage: figure = now.outage_ms; break;
      case Figure::pending: figure = static_cast<double>(now.pending_max); break;
      case Figure::lag: figure = now.oldest_ms_max; break;
    }
    if (figure <= condition.above) continue;
    bool time = condition.figure == Figure::outage || condition.figure == Figure::lag;
    return time ? fmt::format("{} ({:.1f} s)", condition.text, figure / 1e3)
                : fmt::format("{} ({:.2f})", condition.text, figure);
  }
  return {};
}

}  // namespace meridian::drill
