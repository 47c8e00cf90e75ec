#include "compress/compress.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <iomanip>
#include <sstream>
#include <utility>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "base/config_yaml.h"
#include "base/error.h"
#include "compress/classifier_steps.h"
#include "compress/language.h"
#include "compress/measure.h"
#include "compress/rows.h"
#include "data/tokenizer/tokenizer.h"

namespace cupel::compress {
namespace {

constexpr int64_t kCalibrationRows = 512;
constexpr int64_t kBlock = 32;  // of channels, so that kernels read whole blocks
constexpr const char* kEager = "fp32_eager";

/// What the recipe names, read.
struct Inputs {
  std::filesystem::path model;
  nn::ClassifierConfig config;
  Tokenizer tokenizer;
  std::vector<nn::RowSet> datasets;
  std::vector<nn::ClassifiedRow> calibration, measured;
};

Inputs read_inputs(const Config& config, Run& run) {
  const std::filesystem::path folder = config.model.text;
  nn::ClassifierConfig model = nn::read_trained_classifier_config(folder);
  run.record_input(folder);
  Inputs inputs{folder, std::move(model), Tokenizer::load(folder), {}, {}, {}};
  const auto rows = [&](const DataConfig& data) {
    return read_rows(data, inputs.tokenizer, inputs.config, run);
  };
  for (const DataConfig& data : config.datasets) inputs.datasets.push_back({rows(data)});
  if (config.calibration) {
    inputs.calibration = rows(*config.calibration);
  } else {
    for (const nn::RowSet& set : inputs.datasets)
      for (const nn::ClassifiedRow& row : set.rows)
        if (static_cast<int64_t>(inputs.calibration.size()) < kCalibrationRows)
          inputs.calibration.push_back(row);
  }
  if (config.measure) inputs.measured = rows(config.measure->data);
  return inputs;
}

int64_t total_steps(const RecoverConfig& recover, const std::vector<nn::RowSet>& sets) {
  if (recover.steps) return *recover.steps;
  double rows = 0;
  for (const nn::RowSet& set : sets) rows += static_cast<double>(set.rows.size());
  const double batches = std::ceil(rows / static_cast<double>(recover.micro_batch_size));
  return std::max<int64_t>(1, std::llround(recover.num_epochs * batches));
}

/// Part `index` of `count` of a total that need not divide.
int64_t part_of(int64_t total, int64_t index, int64_t count) {
  return total * (index + 1) / count - total * index / count;
}

int64_t file_bytes(const std::filesystem::path& folder) {
  return static_cast<int64_t>(std::filesystem::file_size(folder / "model.safetensors"));
}

/// The chain from the model given to the one left.
class Chain {
 public:
  Chain(const Config& config, const TorchFunctions& torch, Run& run)
      : config_(config), torch_(torch), run_(run), inputs_(read_inputs(config, run)) {
    latest_ = inputs_.model;
    if (config.quantize) require_groups(config.quantize->group_size);
  }

  Report compress() {
    Report report;
    const int64_t before = inputs_.config.encoder.intermediate_size;
    for (int64_t round = 0; round < rounds(); ++round)
      report.rounds.push_back(take_round(round, before));
    const nn::ClassifierModel model = nn::read_classifier_model(latest_);
    write(model);
    const int64_t after = model.config.encoder.intermediate_size;
    report.pruned_share = 1 - static_cast<double>(after) / static_cast<double>(before);
    report.parameters = {parameter_count(inputs_.config), parameter_count(model.config)};
    report.bytes = {file_bytes(inputs_.model), file_bytes(run_.folder() / "model")};
    report.model = "model";
    if (config_.measure) measure(report);
    return report;
  }

 private:
  /// Pruning leaves whole groups, but cannot make some of what has none.
  void require_groups(int64_t group) const {
    const nn::EncoderConfig& encoder = inputs_.config.encoder;
    const int64_t channels = config_.prune ? group : encoder.intermediate_size;
    if (encoder.hidden_size % group == 0 && channels % group == 0) return;
    fail(ErrorKind::config, "quantize.group_size",
         std::to_string(group) + " divides not both the model's hidden_size of " +
             std::to_string(encoder.hidden_size) + " and its intermediate_size of " +
             std::to_string(encoder.intermediate_size),
         group > 32 ? "take a smaller one" : "4-bit codes need widths that are multiples of 32");
  }

  int64_t rounds() const {
    if (config_.prune) return config_.prune->rounds;
    return config_.recover ? 1 : 0;
  }

  /// A run of its own, so that its checkpoints and metrics are its own; one that ended is read.
  RoundReport take_round(int64_t round, int64_t channels_before) {
    const std::string name = "round-" + std::to_string(round + 1);
    RunOptions options;
    options.folder = run_.folder() / name;
    options.config = options.recipe = to_yaml(cupel::to_json(config_));
    options.seed = run_.seed();
    options.threads = run_.threads();
    options.resume = true;
    options.stop = run_.stop_flag();
    Run inner(options);
    inner.subscribe([this, name](const Event& event) {
      if (event.kind == Event::Kind::progress)
        run_.progress(event.done, event.total, name + ": " + std::string(event.text));
    });
    const std::filesystem::path done = options.folder / "report.json";
    RoundReport report;
    if (std::filesystem::exists(done)) {
      const json::Value all = json::parse(read_file(done), done.string());
      const std::string text = json::dump(all.at("compress", done.string()));
      yaml::read_struct(yaml::parse(text, done.string()), report, {"compress", {}});
    } else {
      report = change(round, channels_before, inner);
      inner.finish("compress", to_json(report));
    }
    latest_ = options.folder / "model";
    return report;
  }

  RoundReport change(int64_t round, int64_t channels_before, Run& inner) {
    RoundReport report;
    report.round = round + 1;
    nn::ClassifierModel model =
        config_.prune
            ? prune_classifier(latest_, inputs_.calibration, channels_after(round, channels_before),
                               config_.prune->importance, report.layers, inner)
            : nn::read_classifier_model(latest_);
    if (config_.recover) {
      report.steps = part_of(total_steps(*config_.recover, inputs_.datasets), round, rounds());
      const bool codes = config_.quantize && round + 1 == rounds();
      const double exact = codes ? 1 - config_.recover->qat : 1;
      const RecoverTask task{*config_.recover,
                             config_.recover->teacher.empty()
                                 ? inputs_.model
                                 : std::filesystem::path(config_.recover->teacher.text),
                             inputs_.datasets,
                             report.steps,
                             std::llround(exact * static_cast<double>(report.steps)),
                             config_.quantize ? config_.quantize->group_size : kBlock};
      report.train_loss = torch_.recover(model, task, inner);
    }
    inner.write_folder("model", [&](const std::filesystem::path& folder) {
      nn::write_classifier_model(folder, model);
      inputs_.tokenizer.save(folder);
    });
    return report;
  }

  /// Even shares of what goes, in whole blocks; the last one is what was asked for.
  int64_t channels_after(int64_t round, int64_t before) const {
    const int64_t block = config_.quantize ? config_.quantize->group_size : kBlock;
    const int64_t keep = channels_to_keep(before, config_.prune->prune_ratio, block);
    const int64_t gone = (before - keep) * (round + 1) / rounds();
    return std::max(keep, (before - gone) / block * block);
  }

  void write(const nn::ClassifierModel& model) {
    nn::CodedWeights codes;
    const bool trained = config_.recover && config_.recover->qat > 0;
    if (config_.quantize)
      codes = encode_classifier(latest_, model, inputs_.calibration, config_.quantize->group_size,
                                trained, run_);
    run_.write_folder("model", [&](const std::filesystem::path& folder) {
      nn::write_classifier_model(folder, model, codes,
                                 config_.quantize ? config_.quantize->group_size : kBlock);
      inputs_.tokenizer.save(folder);
    });
  }

  void measure(Report& report) {
    using enum nn::EncoderPrecision;
    const bool coded = inputs_.config.encoder.w4a8;
    std::vector<MeasuredStep> steps{{"fp32", inputs_.model, fp32}};
    if (!coded) steps.push_back({"bf16", inputs_.model, bf16});
    if (config_.quantize && config_.prune) steps.push_back({"w4a8", inputs_.model, w4a8});
    if (config_.prune) steps.push_back({"pruned", latest_, fp32});
    if (config_.quantize) {
      steps.push_back({config_.prune ? "pruned_w4a8" : "w4a8", run_.folder() / "model", w4a8});
    }
    TextScores eager;
    if (torch_.eager_classifier) eager = torch_.eager_classifier(inputs_.model, run_.threads());
    const MeasuredSteps measured =
        measure_steps(steps, eager, inputs_.measured, config_.measure->runs, run_);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto& [latency, accuracy, interval] = measured.steps[i];
      report.steps.push_back(steps[i].name);
      report.latency_ms[steps[i].name] = latency;
      report.accuracy[steps[i].name] = accuracy;
      report.accuracy_interval[steps[i].name] = {interval.low, interval.high};
    }
    if (measured.eager) report.latency_ms[kEager] = *measured.eager;
    const StepResult &first = measured.steps.front(), &last = measured.steps.back();
    report.accuracy_drop_points = 100 * (first.accuracy - last.accuracy);
    const double before =
        measured.eager ? std::min(first.latency_ms.p50, measured.eager->p50) : first.latency_ms.p50;
    report.latency_ratio = before / last.latency_ms.p50;
  }

  const Config& config_;
  const TorchFunctions& torch_;
  Run& run_;
  Inputs inputs_;
  std::filesystem::path latest_;  // the classifier as far as it is compressed, in fp32
};

}  // namespace

std::vector<std::string> Config::problems() const {
  std::vector<std::string> problems;
  if (model.empty()) problems.push_back("model: missing; name a classifier or a language model");
  if (!prune && !quantize)
    problems.push_back("give prune, quantize or both: there is nothing to do");
  if (quantize && !(quantize->group_size % 32 == 0 &&
                    std::has_single_bit(static_cast<uint64_t>(quantize->group_size))))
    problems.push_back("quantize.group_size: take 32, 64, 128, 256 or 512");
  if (datasets.empty() && (recover || !calibration)) {
    problems.push_back(recover ? "datasets: missing; recovery learns from them"
                               : "give datasets, or calibration: a few hundred texts");
  }
  for (std::size_t i = 0; i < datasets.size(); ++i)
    if (datasets[i].path.empty())
      problems.push_back("datasets[" + std::to_string(i) + "].path: missing; name a file");
  if (calibration && calibration->path.empty())
    problems.push_back("calibration.path: missing; name a file");
  if (measure && measure->data.path.empty())
    problems.push_back("measure.data.path: missing; name a file");
  return problems;
}

namespace {

std::string language_details(const std::vector<LanguageReport>& reports) {
  std::ostringstream text;
  text << std::fixed
       << "  step  perplexity  KL, nats a token [95 %]   same best  tokens/s: prefill  decode\n";
  for (const LanguageReport& step : reports) {
    text << "  " << std::left << std::setw(6) << step.name << std::right << std::setprecision(3)
         << std::setw(10) << step.perplexity << std::setprecision(5) << std::setw(9)
         << step.kl_divergence << " [" << step.kl_interval[0] << ", " << step.kl_interval[1] << "]"
         << std::setprecision(4) << std::setw(10) << step.top1_agreement << std::setprecision(1)
         << std::setw(19) << step.prefill_tokens_per_second << std::setw(8);
    step.decode_tokens_per_second ? text << *step.decode_tokens_per_second : text << "–";
    text << "\n";
  }
  return text.str();
}

}  // namespace

std::string Report::details() const {
  if (!language.empty()) return language_details(language);
  if (steps.empty()) return "";
  std::ostringstream text;
  text << std::fixed << "  step         accuracy [95 %]           ms a text: median   95th\n";
  const auto latency = [&](const std::string& name) {
    text << std::setprecision(2) << std::setw(22) << latency_ms.at(name).p50 << std::setw(7)
         << latency_ms.at(name).p95 << "\n";
  };
  for (const std::string& step : steps) {
    const auto& [low, high] = accuracy_interval.at(step);
    text << "  " << std::left << std::setw(13) << step << std::right << std::setprecision(4)
         << accuracy.at(step) << " [" << low << ", " << high << "]";
    latency(step);
  }
  if (latency_ms.contains(kEager)) {
    text << "  " << std::left << std::setw(35) << "fp32 in PyTorch's eager operators" << std::right;
    latency(kEager);
  }
  return text.str();
}

Report run(const Config& config, const TorchFunctions& torch, Run& run) {
  CUPEL_ASSERT(run.has_folder());
  if (is_language_model(config.model.text)) return compress_language_model(config, run);
  return Chain(config, torch, run).compress();
}

}  // namespace cupel::compress
