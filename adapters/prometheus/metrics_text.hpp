// adapters/prometheus/metrics_text.hpp - measurements in the text format of Prometheus, by prometheus-cpp.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lucid {

enum class metric_kind : std::uint8_t {
  counter = 1, ///< Only grows; its name ends in _total.
  gauge,
};

struct metric_sample {
  double value = 0;
  std::vector<std::pair<std::string, std::string>> labels = {};
};

/// All samples of one name. Units are base units and stand last in the name: seconds, bytes, ratio.
struct metric_family {
  std::string name;
  std::string help; ///< A sentence for people.
  metric_kind kind = metric_kind::gauge;
  std::vector<metric_sample> samples = {};
};

/// The content type that goes with `metrics_text`.
inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// Families without samples are left out.
std::string metrics_text(const std::vector<metric_family>& families);

} // namespace lucid
