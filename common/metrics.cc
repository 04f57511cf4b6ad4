#include "common/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>

namespace meridian {
namespace {

constexpr std::array<std::int64_t, 16> kBoundsUs{
    500,     1'000,   2'000,     5'000,     10'000,    20'000,     50'000,     100'000,
    200'000, 500'000, 1'000'000, 2'000'000, 5'000'000, 10'000'000, 60'000'000, 600'000'000};

}  // namespace

struct MetricsPage::State {
  std::vector<prometheus::MetricFamily> families;

  // Families come in the order of their first sample; samples of one family must be neighbours.
  prometheus::ClientMetric& add(const std::string& name, const std::string& help,
                                prometheus::MetricType type, const MetricLabels& labels) {
    prometheus::MetricFamily* family = nullptr;
    for (auto& known : families)
      if (known.name == name) family = &known;
    if (family == nullptr) {
      family = &families.emplace_back();
      family->name = name;
      family->help = help;
      family->type = type;
    }
    auto& metric = family->metric.emplace_back();
    for (const auto& [key, value] : labels) metric.label.push_back({key, value});
    return metric;
  }
};

MetricsPage::MetricsPage() : state_(std::make_unique<State>()) {}
MetricsPage::~MetricsPage() = default;

void MetricsPage::counter(const std::string& name, const std::string& help, double value,
                          const MetricLabels& labels) {
  state_->add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void MetricsPage::gauge(const std::string& name, const std::string& help, double value,
                        const MetricLabels& labels) {
  state_->add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void MetricsPage::histogram(const std::string& name, const std::string& help,
                            const Histogram& values, const MetricLabels& labels) {
  auto& out = state_->add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  out.sample_count = values.count();
  out.sample_sum = static_cast<double>(values.sum_us()) / 1e6;
  for (auto bound_us : kBoundsUs)
    out.bucket.push_back({values.count_at_most(bound_us), static_cast<double>(bound_us) / 1e6});
  out.bucket.push_back({out.sample_count, std::numeric_limits<double>::infinity()});
}

std::string MetricsPage::text() const {
  return prometheus::TextSerializer().Serialize(state_->families);
}

}  // namespace meridian
