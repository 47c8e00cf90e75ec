#include "train/dataset.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "data/arithmetic.h"
#include "data/read.h"
#include "data/split.h"
#include "data/tokenizer/gguf_tokenizer.h"

namespace cupel::train {
namespace {

constexpr int64_t kDefaultVocabulary = 2048;

/// What a long reader calls now and then.
std::function<void()> stop_poll(const Run& run) {
  return [&run] {
    if (run.stop_requested()) throw Interrupted();
  };
}

std::vector<Text> read_documents(const DatasetConfig& set, Run& run) {
  std::vector<Reject> rejects;
  CorpusOptions options;
  options.read = {set.split, set.columns};
  options.text_field = set.text_field;
  options.poll = stop_poll(run);
  Corpus corpus = read_corpus(set.path.text, options, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  std::vector<Text> texts;
  for (Document& document : corpus.documents)
    texts.push_back({"", std::move(document.text), document.line});
  return texts;
}

std::vector<Text> read_completions(const DatasetConfig& set, Run& run) {
  std::vector<Text> texts;
  std::vector<Reject> rejects;
  const auto field = [](const json::Value& row,
                        const std::string& name) -> std::optional<std::string> {
    const json::Value* value = row.find(name);
    if (value == nullptr || !value->is_string()) return std::nullopt;
    return value->as_string(name);
  };
  const auto poll = stop_poll(run);
  const auto take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    poll();
    const auto prompt = field(row, set.prompt_field);
    const auto completion = field(row, set.completion_field);
    if (!prompt)
      return RowProblem{"missing_field", "field \"" + set.prompt_field + "\": missing or no text"};
    if (!completion)
      return RowProblem{"missing_field",
                        "field \"" + set.completion_field + "\": missing or no text"};
    texts.push_back({*prompt, *completion, line});
    return std::nullopt;
  };
  for_each_row(set.path.text, {set.split, set.columns}, take, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  return texts;
}

/// `index` among the generated sets: each has problems of its own.
std::vector<Text> generate_arithmetic(const DatasetConfig& set, uint64_t index, Run& run) {
  Rng rng = run.stream("arithmetic problems", index);
  std::vector<Text> texts;
  for (Problem& problem : generate_problems(rng, set.rows, {})) {
    texts.push_back({std::move(problem.prompt), std::move(problem.completion),
                     static_cast<int64_t>(texts.size()) + 1});
  }
  return texts;
}

void split_documents(std::vector<Text> documents, double share, TextSet& set) {
  std::vector<std::string> texts;
  for (Text& document : documents) texts.push_back(std::move(document.target));
  TextSplit split = split_running_text(std::move(texts), share);
  // Both parts keep the order; a single document may be in both.
  std::size_t next = 0;
  const auto add = [&](std::vector<std::string>& part, std::vector<Text>& side) {
    for (std::string& text : part) {
      const std::size_t document = std::min(next++, documents.size() - 1);
      side.push_back({"", std::move(text), documents[document].line});
    }
  };
  add(split.kept, set.train);
  add(split.held_out, set.validation);
}

void split_rows(std::vector<Text> texts, double share, TextSet& set) {
  for (Text& text : texts) {
    const bool held_out = is_held_out(text.context, text.target, share);
    (held_out ? set.validation : set.train).push_back(std::move(text));
  }
}

/// Why a document of these tokens is not learned; empty if it is.
std::string_view problem_of(const TextSet& set, std::size_t context, std::size_t target,
                            int64_t length) {
  // A label is a learned token that another one stands before.
  if (target == 0 || context + target < 2) return "nothing_to_learn";
  const bool whole = set.cut != Cut::windows;
  return whole && static_cast<int64_t>(context + target) > length ? "longer_than_sequence_len" : "";
}

TokenStream tokenize_texts(const TextSet& set, const std::vector<Text>& texts, int64_t length,
                           const Tokenizer& tokenizer, Run& run) {
  TokenStream stream;
  const auto end = tokenizer.eos_id();
  const auto poll = stop_poll(run);
  for (const Text& text : texts) {
    poll();
    std::vector<int32_t> context = tokenizer.encode(text.context, false, poll);
    context.insert(context.begin(), tokenizer.prefix().begin(), tokenizer.prefix().end());
    std::vector<int32_t> target = tokenizer.encode(text.target, false, poll);
    if (end) target.push_back(*end);
    const std::string_view problem = problem_of(set, context.size(), target.size(), length);
    if (problem.empty()) {
      append_document(stream, context, target);
    } else {
      run.reject({set.input, text.line, std::string(problem), text.context + text.target});
    }
  }
  return stream;
}

/// A set that takes no part is said to, not passed over.
void warn_of_no_sequence(const TextSet& set, const TokenStream& stream, int64_t length, Run& run) {
  if (!cut_stream(stream, 0, set.cut, length, 0).empty()) return;
  run.log(LogLevel::warning, set.input + ": its " + std::to_string(stream.ids.size()) +
                                 " tokens fill no sequence of " + std::to_string(length) +
                                 ", so nothing is learned from it; lower sequence_len or add text");
}

}  // namespace

std::vector<TextSet> load_texts(const Config& config, Run& run) {
  std::vector<TextSet> sets;
  uint64_t generated = 0;
  for (const DatasetConfig& source : config.datasets) {
    TextSet set;
    set.weight = source.weight;
    set.input = source.path.text;
    if (source.type == DatasetType::arithmetic)
      set.input = "train.datasets[" + std::to_string(sets.size()) + "]";
    if (source.type != DatasetType::arithmetic) run.record_input(source.path.text);
    switch (source.type) {
      case DatasetType::text:
        split_documents(read_documents(source, run), config.val_set_size, set);
        break;
      case DatasetType::completion:
        split_rows(read_completions(source, run), config.val_set_size, set);
        break;
      case DatasetType::arithmetic:
        split_rows(generate_arithmetic(source, generated++, run), config.val_set_size, set);
        break;
    }
    if (source.type != DatasetType::text)
      set.cut = config.sample_packing ? Cut::packed : Cut::single;
    if (set.train.empty()) {
      fail(ErrorKind::data, set.input, "nothing is left to train on",
           "lower val_set_size or add rows");
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

Tokenizer make_tokenizer(const Config& config, const std::vector<TextSet>& texts, Run& run) {
  std::string path = config.tokenizer.path.text;
  if (path.empty() && is_gguf(config.base_model.text)) path = config.base_model.text;
  if (path.empty() && !config.base_model.empty()) path = config.base_model.text + "/tokenizer.json";
  if (!path.empty()) {
    run.record_input(path);
    return load_tokenizer(path);
  }
  auto section = run.section("tokenizer");
  std::vector<Document> documents;
  for (const TextSet& set : texts) {
    for (const Text& text : set.train) documents.push_back({{}, text.context + text.target, 0});
  }
  BpeTrainOptions options;
  options.vocab_size =
      static_cast<int32_t>(config.tokenizer.vocab_size.value_or(kDefaultVocabulary));
  options.poll = stop_poll(run);
  return Tokenizer::train(documents, options, &run.pool());
}

Dataset tokenize(const Config& config, const std::vector<TextSet>& texts,
                 const Tokenizer& tokenizer, Run& run) {
  auto section = run.section("tokenize");
  if (!tokenizer.eos_id()) {
    run.log(LogLevel::warning,
            "the tokenizer names no end-of-text token: texts follow one another without one, and "
            "the model does not learn where to end; name its eos_token in a tokenizer_config.json "
            "beside tokenizer.json");
  }
  Dataset dataset;
  for (const TextSet& set : texts) {
    const auto add = [&](const std::vector<Text>& part, std::vector<Source>& sources) {
      sources.push_back(
          {tokenize_texts(set, part, config.sequence_len, tokenizer, run), set.cut, set.weight});
    };
    add(set.train, dataset.train);
    if (set.weight > 0)
      warn_of_no_sequence(set, dataset.train.back().stream, config.sequence_len, run);
    if (!set.validation.empty()) add(set.validation, dataset.validation);
  }
  return dataset;
}

}  // namespace cupel::train
