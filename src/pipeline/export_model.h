// `export`: a model as a folder that transformers loads or as a GGUF file, adapters merged, and how
// near it is to what it was made of.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/run.h"

namespace cupel::pipeline::exporter {

/// Number format of the weights that are written.
enum class WeightType { f32, f16, bf16 };
constexpr std::array<std::string_view, 3> names(WeightType) { return {"f32", "f16", "bf16"}; }
static_assert(names(WeightType{}).size() == static_cast<std::size_t>(WeightType::bf16) + 1);
constexpr std::array<std::pair<std::string_view, WeightType>, 3> aliases(WeightType) {
  return {
      {{"float32", WeightType::f32}, {"float16", WeightType::f16}, {"bfloat16", WeightType::bf16}}};
}

/// What is written: a folder as Hugging Face has it, or one file as llama.cpp has it.
enum class Format { safetensors, gguf };
constexpr std::array<std::string_view, 2> names(Format) { return {"safetensors", "gguf"}; }
static_assert(names(Format{}).size() == static_cast<std::size_t>(Format::gguf) + 1);

struct Config {
  ModelPath model;
  Format format = Format::safetensors;
  std::optional<WeightType> dtype;
  std::optional<double> max_logit_error;
  static constexpr auto fields() {
    using C = Config;
    return std::tuple{
        Field{"model", &C::model,
              "adapter or model: folder, .gguf file, or org/name in the Hugging Face cache"},
        Field{"format", &C::format, "folder for transformers, or file for llama.cpp"},
        Field{"dtype", &C::dtype,
              "number format of the weights; default: f32 for safetensors, f16 for gguf"}
            .also("torch_dtype"),
        Field{"max_logit_error", &C::max_logit_error,
              "largest difference of a logit over the largest logit above which the export fails; "
              "default: 1e-4 for f32, 0.02 for f16, 0.1 for bf16",
              0, 1e6}};
  }
  std::vector<std::string> problems() const;
  WeightType weight_type() const;
  double error_limit() const;
};

/// The exported model against what it was made of, an adapter beside its base model, in fp32 on
/// rows of tokens that are the same in every run.
struct Parity {
  int64_t tokens = 0;
  double max_logit_error = 0, limit = 0, top1_agreement = 0;
  double perplexity_before = 0, perplexity_after = 0, perplexity_delta = 0;
  bool pass = false;
  static constexpr auto fields() {
    using C = Parity;
    return std::tuple{
        Field{"tokens", &C::tokens, "compared"},
        Field{"max_logit_error", &C::max_logit_error,
              "largest difference of a logit, over the largest logit"},
        Field{"limit", &C::limit, "of that"},
        Field{"top1_agreement", &C::top1_agreement,
              "share of tokens after which both find the same one most likely"},
        Field{"perplexity_before", &C::perplexity_before, "of the tokens, what it was made of"},
        Field{"perplexity_after", &C::perplexity_after, "the same of what was written"},
        Field{"perplexity_delta", &C::perplexity_delta, "after minus before"},
        Field{"pass", &C::pass, "the error is within its limit"}};
  }
};

struct Report {
  std::string model;
  int64_t parameters = 0, bytes = 0, adapted_layers = 0;
  Parity parity;
  static constexpr auto fields() {
    using C = Report;
    return std::tuple{
        Field{"model", &C::model, "folder or file of the model, relative to the run"},
        Field{"parameters", &C::parameters, "weights of it"},
        Field{"bytes", &C::bytes, "of its files"},
        Field{"adapted_layers", &C::adapted_layers, "that an adapter was merged into"},
        Field{"parity", &C::parity, "against what it was made of"}};
  }
  std::string details() const;
  int exit_code() const { return parity.pass ? 0 : 1; }
};

/// Writes model/: config.json, model.safetensors, tokenizer, chat template; or model.gguf with all
/// of that. Throws Error{config} for a model that is not there or that a GGUF has no place for,
/// Error{data} for one whose files do not fit each other. A parity error above the limit is told by
/// the report.
Report run(const Config& config, Run& run);

}  // namespace cupel::pipeline::exporter
