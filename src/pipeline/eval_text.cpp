#include "pipeline/eval_text.h"

#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/stats.h"
#include "base/text.h"

namespace cupel::pipeline::eval {
namespace {

constexpr std::size_t kBlockBytes = 4096;

struct Weighed {
  double model = 0, baseline = 0;  // ln p, nats
  double bytes = 0, tokens = 0;
};

std::vector<std::vector<int32_t>> encode(const Tokenizer& tokenizer,
                                         const std::vector<std::string>& texts) {
  std::vector<std::vector<int32_t>> sequences;
  for (const std::string& text : texts) sequences.push_back(tokenizer.encode(text));
  return sequences;
}

/// Bits a byte of the blocks that `chosen` lists, as a resample does, with repeats.
double bits(const std::vector<Weighed>& blocks, std::span<const double> chosen,
            const std::function<double(const Weighed&)>& nats) {
  double sum = 0, bytes = 0;
  for (const double index : chosen) {
    const Weighed& block = blocks[static_cast<std::size_t>(index)];
    sum += nats(block);
    bytes += block.bytes;
  }
  return sum / (std::log(2.0) * bytes);
}

/// How many bytes at the front make a block: up to the last line end that fits, else to the last
/// whole character.
std::size_t block_end(std::string_view text) {
  if (text.size() <= kBlockBytes) return text.size();
  const std::size_t line_end = text.rfind('\n', kBlockBytes - 1);
  if (line_end != std::string_view::npos) return line_end + 1;
  const std::size_t whole = valid_utf8_prefix(text.substr(0, kBlockBytes));
  return whole > 0 ? whole : kBlockBytes;
}

}  // namespace

Predictions::Predictions(const Run& run, std::string_view name) {
  if (run.has_folder()) file_.emplace(run.folder() / name);
}

void Predictions::append(const json::Value& row) {
  if (file_) file_->append(json::dump(row) + "\n");
}

void Predictions::commit() {
  if (file_) file_->commit();
}

std::vector<std::string> cut_blocks(const std::vector<std::string>& documents) {
  std::vector<std::string> blocks;
  for (std::string_view rest : documents) {
    while (!rest.empty()) {
      const std::string_view block = rest.substr(0, block_end(rest));
      rest.remove_prefix(block.size());
      if (block.find_first_not_of(" \t\r\n") != std::string_view::npos) blocks.emplace_back(block);
    }
  }
  return blocks;
}

NgramScorer::NgramScorer(Tokenizer tokenizer, const std::vector<std::string>& texts, int order)
    : tokenizer_(std::move(tokenizer)),
      model_(encode(tokenizer_, texts), order, tokenizer_.vocab_size()) {}

Likelihood NgramScorer::likelihood(std::string_view text) const {
  const std::vector<int32_t> ids = tokenizer_.encode(text);
  return {model_.log_likelihood(ids), static_cast<int64_t>(ids.size())};
}

std::string NgramScorer::name() const {
  return std::to_string(model_.order()) + "-gram, modified Kneser-Ney";
}

TaskReport weigh(const TaskConfig& task, const std::vector<std::string>& blocks,
                 const LikelihoodScorer& scorer, const NgramScorer* baseline, Run& run,
                 Predictions& predictions) {
  std::vector<Weighed> weighed;
  std::vector<double> all;  // indices
  Weighed sum;
  for (const std::string& block : blocks) {
    const Likelihood likelihood = scorer("", block);
    Weighed one{likelihood.log_likelihood, 0, static_cast<double>(block.size()),
                static_cast<double>(likelihood.tokens)};
    json::Value row = json::Object{{"task", task_name(task)},
                                   {"block", static_cast<int64_t>(weighed.size())},
                                   {"bytes", static_cast<int64_t>(block.size())},
                                   {"tokens", likelihood.tokens},
                                   {"log_likelihood", one.model}};
    if (baseline != nullptr) {
      one.baseline = baseline->likelihood(block).log_likelihood;
      row.set("baseline_log_likelihood", one.baseline);
    }
    predictions.append(row);
    sum = {sum.model + one.model, sum.baseline + one.baseline, sum.bytes + one.bytes,
           sum.tokens + one.tokens};
    all.push_back(static_cast<double>(weighed.size()));
    weighed.push_back(one);
    run.progress(static_cast<int64_t>(weighed.size()), static_cast<int64_t>(blocks.size()),
                 task_name(task));
    run.stop_if_asked();
  }
  if (!std::isfinite(sum.model)) {
    fail(ErrorKind::numeric, "[eval] " + task_name(task), "a likelihood is not finite",
         "look at predictions of the model; its training may have diverged");
  }
  const auto estimate = [&](const std::function<double(const Weighed&)>& nats) {
    const auto statistic = [&](std::span<const double> chosen) {
      return bits(weighed, chosen, nats);
    };
    const Interval interval =
        bootstrap_interval(all, statistic, run.stream("bootstrap of " + task_name(task)));
    return std::pair(bits(weighed, all, nats), std::array{interval.low, interval.high});
  };
  TaskReport report;
  report.metric = "bits_per_byte";
  std::tie(report.value, report.interval) = estimate([](const Weighed& w) { return -w.model; });
  report.n = static_cast<int64_t>(weighed.size());
  report.tokens = static_cast<int64_t>(sum.tokens);
  report.bytes = static_cast<int64_t>(sum.bytes);
  report.nats_per_token = -sum.model / std::max(sum.tokens, 1.0);
  report.perplexity = std::exp(*report.nats_per_token);
  if (baseline != nullptr) {
    BaselineReport& other = report.baseline.emplace();
    other.name = baseline->name();
    other.value = bits(weighed, all, [](const Weighed& w) { return -w.baseline; });
    std::tie(other.margin, other.margin_interval) =
        estimate([](const Weighed& w) { return w.model - w.baseline; });
  }
  return report;
}

}  // namespace cupel::pipeline::eval
