#include "pipeline/export_model.h"

#include "base/text.h"

namespace cupel::pipeline::exporter {

std::vector<std::string> Config::problems() const {
  if (model.empty())
    return {"model: missing; name its folder, as in cupel export runs/train/model"};
  return {};
}

WeightType Config::weight_type() const {
  return dtype.value_or(format == Format::gguf ? WeightType::f16 : WeightType::f32);
}

double Config::error_limit() const {
  const WeightType type = weight_type();
  const double usual = type == WeightType::f32 ? 1e-4 : type == WeightType::f16 ? 0.02 : 0.1;
  return max_logit_error.value_or(usual);
}

std::string Report::details() const {
  if (parity.pass) return "";
  return "  the logits differ by " + shortest(parity.max_logit_error) + ", more than " +
         shortest(parity.limit) + ": write it with --dtype=f32, or allow more by " +
         "--max_logit_error\n";
}

}  // namespace cupel::pipeline::exporter
