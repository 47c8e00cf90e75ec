// A settings struct with every kind of field, for the tests of what is derived from fields.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"

namespace cupel {

enum class Mode { duplicate, reference };
constexpr std::array<std::string_view, 2> names(Mode) { return {"duplicate", "reference"}; }

struct Nested {
  double initial = 1024, min_scale = 1;
  static constexpr std::string_view kShorthand = "initial";
  static constexpr auto fields() {
    return std::tuple{Field{"initial", &Nested::initial, "first scale", 1, 1e9},
                      Field{"min_scale", &Nested::min_scale, "floor of the scale", 1,
                            std::numeric_limits<double>::infinity()}};
  }
  std::vector<std::string> problems() const {
    if (min_scale > initial) return {"min_scale must not exceed initial"};
    return {};
  }
  bool operator==(const Nested&) const = default;
};

struct Sample {
  int64_t seed = 0;
  double epsilon = 0.1;
  bool packed = false;
  std::string name;
  Path input;
  Mode mode = Mode::duplicate;
  std::vector<int> layers{4, 4};
  Nested nested;
  std::optional<int> limit;
  std::map<std::string, double> weights;
  std::vector<Nested> stages;
  static constexpr auto fields() {
    return std::tuple{Field{"seed", &Sample::seed, "random seed"},
                      Field{"epsilon", &Sample::epsilon, "size of the step", 0, 1}.also("eps"),
                      Field{"packed", &Sample::packed, "pack samples"},
                      Field{"name", &Sample::name, "name of the run | a bar"},
                      Field{"input", &Sample::input, "file to read"},
                      Field{"mode", &Sample::mode, "what is compared"},
                      Field{"layers", &Sample::layers, "width of each layer"},
                      Field{"nested", &Sample::nested, "loss scale"},
                      Field{"limit", &Sample::limit, "stop after so many"},
                      Field{"weights", &Sample::weights, "weight by name"},
                      Field{"stages", &Sample::stages, "one after the other"}};
  }
  bool operator==(const Sample&) const = default;
};

}  // namespace cupel
