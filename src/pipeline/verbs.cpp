#include "pipeline/verbs.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "augment/augment.h"
#include "base/error.h"
#include "base/text.h"
#include "compress/compress.h"
#include "curate/curate.h"
#include "curate/explain.h"
#include "data/model_path.h"
#include "nn/encoder.h"
#include "pipeline/chat.h"
#include "pipeline/claims.h"
#include "pipeline/docs.h"
#include "pipeline/doctor.h"
#include "pipeline/eval.h"
#include "pipeline/init.h"
#include "pipeline/inspect.h"
#include "pipeline/plan.h"
#include "pipeline/preview.h"
#include "pipeline/validate.h"

namespace cupel::pipeline {
namespace {

constexpr std::string_view kAugmentExample = R"(  simulate: {training_days: 7}
  method: fgsm_rs
  seeds: 3
)";

constexpr std::string_view kEvalExample = R"(  model: ${train.model}
  tasks:
    - {name: arithmetic, type: exact_match, source: arithmetic}
)";

constexpr std::string_view kTrainExample = R"(  model: {family: deepseek_v3}
  tokenizer: {vocab_size: 2048}
  datasets:
    - {type: arithmetic, rows: 5000}
)";

eval::Report evaluate(const eval::Config& config, const Heavy& heavy, Run& run) {
  if (eval::of_classifier(config))
    return eval::run(config, heavy.load_classifier(config.model, run), run);
  return eval::run(config, heavy.load_model(config.model, run), run);
}

compress::Report compress_model(const compress::Config& config, const Heavy& heavy, Run& run) {
  return compress::run(config, heavy.compress, run);
}

claims::Report measure_claims(const claims::Config& config, const Heavy& heavy, Run& run) {
  return claims::run(config, heavy, run);
}

inspect::Report look_inside(const inspect::Config& config, const Request&) {
  return inspect::run(config);
}

/// The encoder is read first, so that what is wrong with it shows before the corpus is.
curate::Report filter_corpus(const curate::Config& config, Run& run) {
  Embedder embedder;
  if (config.semantic) {
    const std::filesystem::path folder = config.semantic->encoder.empty()
                                             ? nn::default_encoder_folder()
                                             : std::filesystem::path(config.semantic->encoder.text);
    embedder = nn::make_embedder(nn::Encoder::load(folder, config.semantic->precision), run.pool());
    embedder.name = model_name(folder);
    run.record_input(folder);
  }
  return curate::run(config, embedder, run);
}

curate::Explanation explain_decision(const curate::ExplainConfig& config, const Request&) {
  return curate::explain(config);
}

/// A whole recipe: the stages make the reports.
Verb whole_recipe(std::string_view name, std::string_view summary) {
  return row_detail::row<NoSettings, NoSettings>(name, summary);
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> list{
      verb<&filter_corpus>("curate", "filter a corpus, with a reason for every row that goes")
          .gives("kept", "kept.jsonl")
          .gives("decisions", "decisions.jsonl"),
      verb<&explain_decision>("curate explain", "why a row was dropped, beside the row that stays")
          .words("run id"),
      verb<&augment::run>("augment",
                          "train a detector on rows moved against it, and measure the gain")
          .gives("model", "model")
          .gives("augmented", "augmented.csv")
          .begins_with(kAugmentExample),
      verb("train", "train a language model or a classifier in mixed precision", &Heavy::train)
          .also("training")
          .gives("model", "model")
          .begins_with(kTrainExample),
      verb<&compress_model>(
          "compress",
          "prune a classifier or store a model in 4-bit codes, and measure what it costs")
          .gives("model", "model")
          .gives("gguf", "model.gguf"),
      verb<&evaluate>("eval", "perplexity, exact answers or accuracy of a model, with intervals")
          .gives("predictions", "predictions.jsonl")
          .begins_with(kEvalExample),
      verb("export", "write a model, its adapter merged, for transformers or for llama.cpp",
           &Heavy::export_model)
          .words("model")
          .gives("model", "model")
          .gives("gguf", "model.gguf"),
      verb<&chat::run>("chat", "talk with a model").with_a_model().words("model"),
      whole_recipe("run", "run every section of a recipe, in order").recipe(),
      verb<&validate>("validate", "check a recipe and touch nothing").recipe(),
      verb<&plan>("plan",
                  "parameters, steps, memory and time of a recipe, before anything is loaded")
          .recipe(),
      verb<&preview>("preview", "first training sequences: tokens, labels, document borders")
          .recipe(),
      verb<&measure_claims>("claims", "measure the headline figures and hold them to their bars")
          .words("ids"),
      verb<&look_inside>("inspect", "what a model, run folder, tokenizer or data file holds")
          .words("path"),
      verb<&doctor>("doctor", "this machine: kernel rows, libraries, memory, disk"),
      verb<&init>("init", "write a commented recipe").words("sections"),
      verb<&docs>("docs", "write the reference: a page a verb, and the recipe's JSON Schema")
          .words("folder"),
  };
  return list;
}

Verb Verb::also(std::string_view name_too) && {
  alias = name_too;
  return std::move(*this);
}

Verb Verb::gives(std::string_view output, std::string_view path) && {
  outputs.push_back({output, path});
  return std::move(*this);
}

Verb Verb::begins_with(std::string_view settings_text) && {
  example = settings_text;
  return std::move(*this);
}

Verb Verb::with_a_model() && {
  needs_torch = true;
  return std::move(*this);
}

Verb Verb::recipe() && {
  takes_recipe = true;
  return std::move(*this);
}

Verb Verb::words(std::string_view setting) && {
  takes_recipe = false;
  words_setting = setting;
  return std::move(*this);
}

const Verb& find_verb(std::string_view name) {
  std::vector<std::string> known;
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return verb;
    known.emplace_back(verb.name);
  }
  const std::string near = yaml::nearest(name, known);
  fail(ErrorKind::config, clip(name, 80), "unknown verb",
       near.empty() ? "cupel --help lists them" : "did you mean \"" + near + "\"?");
}

const Verb* find_mode(const Verb& verb, std::string_view word) {
  const std::string name = std::string(verb.name) + " " + std::string(word);
  const auto found = std::find_if(verbs().begin(), verbs().end(),
                                  [&](const Verb& mode) { return mode.name == name; });
  return found == verbs().end() ? nullptr : &*found;
}

const Verb* find_section(std::string_view name) {
  const auto found = std::find_if(verbs().begin(), verbs().end(), [&](const Verb& verb) {
    return verb.is_stage() && (verb.name == name || (!name.empty() && verb.alias == name));
  });
  return found == verbs().end() ? nullptr : &*found;
}

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) {
    if (verb.is_stage()) names.emplace_back(verb.name);
  }
  return names;
}

const FieldDoc* find_setting(const std::vector<FieldDoc>& fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(), [&](const FieldDoc& field) {
    return field.name == name ||
           std::find(field.aliases.begin(), field.aliases.end(), name) != field.aliases.end();
  });
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace cupel::pipeline
