#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "pipeline/claims/nested_run.h"
#include "pipeline/claims/protocols.h"
#include "pipeline/eval.h"
#include "pipeline/run_folder.h"
#include "pipeline/verbs.h"

namespace cupel::pipeline::claims {
namespace {

namespace fs = std::filesystem;

constexpr double kHeldOut = 0.1;  // the last tenth of the text is never trained on

struct LearningClaim {
  Path recipe;
  std::vector<std::string> overrides;
  int64_t ngram_order = 5;
  int64_t problems = 300;
  int64_t problems_before = 100;
  int64_t max_new_tokens = 64;
  static constexpr auto fields() {
    using C = LearningClaim;
    return std::tuple{
        Field{"recipe", &C::recipe, "its train section is run"},
        Field{"overrides", &C::overrides, "as on the command line: --train.max_steps=300"},
        Field{"ngram_order", &C::ngram_order, "of the baseline", 1, NgramModel::kMaxOrder},
        Field{"problems", &C::problems, "arithmetic problems after training; 0: text alone", 0,
              1e6},
        Field{"problems_before", &C::problems_before, "and before", 1, 1e6},
        Field{"max_new_tokens", &C::max_new_tokens, "tokens an answer", 1, 1e5}};
  }
};

/// As `cupel train RECIPE OVERRIDE…` reads it.
TrainStage train_config(const LearningClaim& settings, const Heavy& heavy) {
  CommandLine line;
  line.verb = &find_verb("train");
  line.words = {settings.recipe.text};
  line.overrides = settings.overrides;
  const Recipe recipe = make_request(std::move(line), heavy).recipe;
  auto config = settings_of<TrainStage>(recipe.stages.front(), recipe);
  config.val_set_size = kHeldOut;
  config.samples.prompts.clear();
  return config;
}

Path text_of(const train::Config& config, const LearningClaim& settings) {
  for (const train::DatasetConfig& set : config.datasets) {
    if (set.type == train::DatasetType::text) return set.path;
  }
  fail(ErrorKind::config, settings.recipe.text, "train.datasets: no running text",
       "add a data set of type text");
}

/// The folder of the model that the nested run `name` trains.
Path trained(const ClaimContext& context, const std::string& name, const TrainStage& config) {
  const json::Value report =
      run_nested(context, name, "train", config,
                 [&](const TrainStage& c, Run& run) { return context.heavy.train(c, run); });
  return {(context.folder / name / text_at(report, "model")).string()};
}

/// What training begins with: the base model, or a new one after a step of learning rate 0.
Path untrained(const ClaimContext& context, TrainStage config, const Path& after) {
  if (!config.base_model.empty()) return config.base_model;
  config.tokenizer = {.path = after, .vocab_size = std::nullopt};
  config.max_steps = 1;
  config.learning_rate = 0;
  config.router_bias_update_rate = 0;
  config.save_steps = 0;
  return trained(context, "untrained", config);
}

json::Value evaluate(const ClaimContext& context, const std::string& name,
                     const eval::Config& config) {
  return run_nested(context, name, "eval", config, [&](const eval::Config& c, Run& run) {
    return eval::run(c, context.heavy.load_model(c.model, run), run);
  });
}

eval::TaskConfig arithmetic(int64_t rows, int64_t max_new_tokens) {
  eval::TaskConfig task;
  task.name = "arithmetic";
  task.type = eval::TaskType::exact_match;
  task.source = eval::Source::arithmetic;
  task.rows = rows;
  task.max_new_tokens = max_new_tokens;
  return task;
}

eval::Config asked(const Path& model, eval::TaskConfig task) {
  eval::Config config;
  config.model = ModelPath{model};
  config.tasks.push_back(std::move(task));
  return config;
}

/// Difference of two proportions with Newcombe's hybrid score interval (1998, method 10), which
/// takes the samples as independent.
Measured gain(const json::Value& before, const json::Value& after) {
  const double p = number_at(after, "value"), q = number_at(before, "value");
  const Interval p_range = interval_at(after, "interval").value();
  const Interval q_range = interval_at(before, "interval").value();
  return {p - q,
          Interval{p - q - std::hypot(p - p_range.low, q_range.high - q),
                   p - q + std::hypot(p_range.high - p, q - q_range.low)},
          q};
}

}  // namespace

ClaimValues learning(const ClaimContext& context) {
  CUPEL_ASSERT(context.heavy.train != nullptr && context.heavy.load_model != nullptr);
  const auto settings = context.settings<LearningClaim>();
  const TrainStage config = train_config(settings, context.heavy);
  eval::TaskConfig text;
  text.name = "text";
  text.path = text_of(config, settings);
  text.held_out = kHeldOut;
  text.baseline.emplace().order = settings.ngram_order;

  const Path after = trained(context, "train", config);
  eval::Config questions = asked(after, text);
  if (settings.problems > 0)
    questions.tasks.push_back(arithmetic(settings.problems, settings.max_new_tokens));
  const json::Value report = evaluate(context, "eval", questions);

  const json::Value& weighed = *find_path(report, "tasks.text");
  ClaimValues values;
  values["bits_per_byte_margin"] = {number_at(weighed, "baseline.margin"),
                                    interval_at(weighed, "baseline.margin_interval"),
                                    number_at(weighed, "baseline.value")};
  values["bits_per_byte"] = {number_at(weighed, "value"), interval_at(weighed, "interval"),
                             number_at(weighed, "baseline.value")};
  if (settings.problems == 0) return values;
  const json::Value report_before =
      evaluate(context, "eval-untrained",
               asked(untrained(context, config, after),
                     arithmetic(settings.problems_before, settings.max_new_tokens)));
  values["exact_match_gain"] =
      gain(*find_path(report_before, "tasks.arithmetic"), *find_path(report, "tasks.arithmetic"));
  return values;
}

}  // namespace cupel::pipeline::claims
