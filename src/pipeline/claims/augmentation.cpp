#include <optional>

#include "augment/augment.h"
#include "base/error.h"
#include "pipeline/claims/nested_run.h"
#include "pipeline/claims/protocols.h"
#include "pipeline/run_folder.h"

namespace cupel::pipeline::claims {
namespace {

struct AugmentationClaim {
  augment::Config augment;
  std::string data_set, file;
  std::optional<augment::Config> control;
  static constexpr auto fields() {
    using C = AugmentationClaim;
    return std::tuple{
        Field{"augment", &C::augment, "as in a recipe; its input may be left to data_set"},
        Field{"data_set", &C::data_set, "folder below CUPEL_DATA"},
        Field{"file", &C::file, "input in that folder"},
        Field{"control", &C::control, "settings of a further run, on shuffled labels"}};
  }
};

/// What the claim's settings say, read with the input that data_set stands for.
AugmentationClaim settings_of(const ClaimContext& context) {
  Claim claim = context.claim;
  const yaml::Node *set = claim.settings.find("data_set"), *file = claim.settings.find("file");
  if (yaml::Node* section = claim.settings.find("augment"); section && set && file) {
    yaml::Node input;
    input.kind = yaml::Node::Kind::scalar;
    input.where = set->where;
    const std::filesystem::path folder = required_data_set(set->scalar, set->where);
    input.scalar = std::filesystem::absolute(folder / file->scalar).string();
    section->members.emplace_back("input", std::move(input));
  }
  AugmentationClaim out;
  yaml::read_struct(claim.settings, out, {"settings", claim.folder});
  return out;
}

json::Value measure(const ClaimContext& context, const std::string& name, augment::Config config) {
  config.write_rows = false;
  return run_nested(context, name, "augment", config, &augment::run);
}

}  // namespace

ClaimValues augmentation(const ClaimContext& context) {
  const AugmentationClaim settings = settings_of(context);
  const json::Value report = measure(context, "augment", settings.augment);
  const double baseline = number_at(report, "baseline.robust_f1");
  ClaimValues values;
  values["robust_f1_relative"] = {number_at(report, "gain.robust_f1_relative"),
                                  interval_at(report, "gain.robust_f1_relative_interval"),
                                  baseline};
  values["clean_f1_delta"] = {number_at(report, "gain.clean_f1_delta"),
                              interval_at(report, "gain.clean_f1_delta_interval"),
                              number_at(report, "baseline.clean_f1")};
  values["noise_robust_f1_relative"] = {
      number_at(report, "noise_gain.robust_f1_relative"),
      interval_at(report, "noise_gain.robust_f1_relative_interval"), baseline};
  if (!settings.control) return values;
  augment::Config control = *settings.control;
  const auto measure_shuffled = [&](const std::string& name, augment::Shuffle labels) {
    control.shuffle_labels = labels;
    const json::Value shuffled = measure(context, name, control);
    values[name + "_robust_f1_delta"] = {number_at(shuffled, "gain.robust_f1_delta"),
                                         interval_at(shuffled, "gain.robust_f1_delta_interval"),
                                         number_at(shuffled, "baseline.robust_f1")};
  };
  measure_shuffled("shuffled", augment::Shuffle::training);
  measure_shuffled("all_shuffled", augment::Shuffle::training_and_validation);
  return values;
}

}  // namespace cupel::pipeline::claims
