#include "region-node/admin/clock_shift.h"

#include <charconv>

namespace meridian::admin {
namespace {

std::optional<std::int64_t> number_at(const Target& target, std::string_view name) {
  std::string text = target.value(name);
  const char* end = text.data() + text.size();
  std::int64_t value = 0;
  auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<http::Response> ClockShiftPages::handle(const http::Request& request) const {
  Target target(request.target);
  if (target.path != "/v1/clock/shift") return std::nullopt;
  if (request.method == "GET") return show();
  if (request.method == "POST") return change(target);
  return complain(405, "GET or POST /v1/clock/shift");
}

http::Response ClockShiftPages::change(const Target& target) const {
  auto by_ms = number_at(target, "by_ms");
  if (!by_ms || std::abs(*by_ms) > kShiftMsMax)
    return complain(400, "by_ms must be a whole number of milliseconds, at most a day either way");
  if (*by_ms == 0) {
    clock_.restore();
    log_.info("clock_shift_ended", "");
    return show();
  }
  auto for_ms = number_at(target, "for_ms");
  if (!for_ms || *for_ms <= 0 || *for_ms > kShiftForMsMax)
    return complain(400, "for_ms must be a whole number of milliseconds, at most a day");
  clock_.shift(*by_ms, *for_ms);
  log_.warn("clock_shift_began", "by_ms={} for_ms={}", *by_ms, *for_ms);
  return show();
}

http::Response ClockShiftPages::show() const {
  return answer(200, {{"by_ms", clock_.shift_us() / 1000}, {"left_ms", clock_.left_us() / 1000}});
}

void ClockShiftPages::collect(MetricsPage& page) const {
  page.gauge("meridian_clock_shift_seconds", "How far the clock is set off on purpose; 0: not.",
             static_cast<double>(clock_.shift_us()) / 1e6);
}

}  // namespace meridian::admin
