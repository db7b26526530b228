// adapters/prometheus/metrics_text.cpp - our families as the library's.
#include "adapters/prometheus/metrics_text.hpp"

#include <sstream>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace lucid {
namespace {

prometheus::ClientMetric metric_of(const metric_sample& sample, metric_kind kind) {
  prometheus::ClientMetric metric;
  for (auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  (kind == metric_kind::counter ? metric.counter.value : metric.gauge.value) = sample.value;
  return metric;
}

prometheus::MetricFamily family_of(const metric_family& from) {
  prometheus::MetricFamily family;
  family.name = from.name;
  family.help = from.help;
  family.type = from.kind == metric_kind::counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  for (auto& sample : from.samples) family.metric.push_back(metric_of(sample, from.kind));
  return family;
}

} // namespace

std::string metrics_text(const std::vector<metric_family>& families) {
  std::vector<prometheus::MetricFamily> all;
  for (auto& family : families)
    if (!family.samples.empty()) all.push_back(family_of(family));
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, all);
  return text.str();
}

} // namespace lucid
