#include "pipeline/validate.h"

namespace cupel::pipeline {
namespace {

int64_t values_of(const yaml::Node& node) {
  if (node.kind == yaml::Node::Kind::scalar) return 1;
  int64_t count = 0;
  for (const yaml::Node& item : node.items) count += values_of(item);
  for (const auto& [key, value] : node.members) count += values_of(value);
  return count;
}

}  // namespace

std::string ValidateReport::text() const {
  std::string names;
  for (const std::string& stage : stages) names += (names.empty() ? "" : ", ") + stage;
  return recipe + ": " + names + ", " + std::to_string(settings) + " settings, nothing wrong\n";
}

ValidateReport validate(const NoSettings&, const Request& request) {
  ValidateReport report{request.recipe.file, {}, 0};
  for (const Stage& stage : request.recipe.stages) {
    report.stages.push_back(stage.name);
    report.settings += values_of(stage.settings);
  }
  return report;
}

}  // namespace cupel::pipeline
