#include "train/dataset.h"

#include "base/error.h"
#include "data/arithmetic.h"
#include "data/read.h"
#include "data/split.h"

namespace cupel::train {
namespace {

constexpr int64_t kDefaultVocabulary = 2048;

std::vector<std::string> read_documents(const DatasetConfig& set, Run& run) {
  std::vector<Reject> rejects;
  CorpusOptions options;
  options.text_field = set.text_field;
  const Corpus corpus = read_corpus(set.path.text, options, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  std::vector<std::string> texts;
  for (const Document& document : corpus.documents) texts.push_back(document.text);
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
  const auto take = [&](json::Value&& row, int64_t) -> std::optional<RowProblem> {
    const auto prompt = field(row, set.prompt_field);
    const auto completion = field(row, set.completion_field);
    if (!prompt)
      return RowProblem{"missing_field", "field \"" + set.prompt_field + "\": missing or no text"};
    if (!completion)
      return RowProblem{"missing_field",
                        "field \"" + set.completion_field + "\": missing or no text"};
    texts.push_back({*prompt, *completion});
    return std::nullopt;
  };
  for_each_row(set.path.text, {}, take, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  return texts;
}

std::vector<Text> generate_arithmetic(const DatasetConfig& set, Run& run) {
  Rng rng = run.stream("arithmetic problems");
  std::vector<Text> texts;
  for (Problem& problem : generate_problems(rng, set.rows, {})) {
    texts.push_back({std::move(problem.prompt), std::move(problem.completion)});
  }
  return texts;
}

void split_documents(std::vector<std::string> documents, double share, TextSet& set) {
  TextSplit split = split_running_text(std::move(documents), share);
  for (std::string& text : split.kept) set.train.push_back({"", std::move(text)});
  for (std::string& text : split.held_out) set.validation.push_back({"", std::move(text)});
}

void split_rows(std::vector<Text> texts, double share, TextSet& set) {
  for (Text& text : texts) {
    const bool held_out = is_held_out(text.context, text.target, share);
    (held_out ? set.validation : set.train).push_back(std::move(text));
  }
}

TokenStream tokenize_texts(const std::vector<Text>& texts, const Tokenizer& tokenizer) {
  TokenStream stream;
  const auto end = tokenizer.eos_id();
  for (const Text& text : texts) {
    std::vector<int32_t> target = tokenizer.encode(text.target);
    if (end) target.push_back(*end);
    append_document(stream, tokenizer.encode(text.context), target);
    stream.learned_bytes += static_cast<int64_t>(text.target.size());
  }
  return stream;
}

void reject_long_rows(const std::vector<Text>& texts, const TokenStream& stream, int64_t length,
                      Run& run) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto end =
        i + 1 < texts.size() ? stream.documents[i + 1] : static_cast<int64_t>(stream.ids.size());
    if (end - stream.documents[i] <= length) continue;
    run.reject({"[train.datasets]", static_cast<int64_t>(i) + 1, "longer_than_sequence_len",
                texts[i].context + texts[i].target});
  }
}

}  // namespace

std::vector<TextSet> load_texts(const Config& config, Run& run) {
  std::vector<TextSet> sets;
  for (const DatasetConfig& source : config.datasets) {
    TextSet set;
    set.weight = source.weight;
    if (source.type != DatasetType::arithmetic) run.record_input(source.path.text);
    switch (source.type) {
      case DatasetType::text:
        split_documents(read_documents(source, run), config.val_set_size, set);
        break;
      case DatasetType::completion:
        split_rows(read_completions(source, run), config.val_set_size, set);
        break;
      case DatasetType::arithmetic:
        split_rows(generate_arithmetic(source, run), config.val_set_size, set);
        break;
    }
    if (source.type != DatasetType::text)
      set.cut = config.sample_packing ? Cut::packed : Cut::single;
    if (set.train.empty()) {
      fail(ErrorKind::data, source.path.text, "nothing is left to train on",
           "lower val_set_size or add rows");
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

Tokenizer make_tokenizer(const Config& config, const std::vector<TextSet>& texts, Run& run) {
  std::string path = config.tokenizer.path.text;
  if (path.empty() && !config.base_model.empty()) path = config.base_model.text + "/tokenizer.json";
  if (!path.empty()) {
    run.record_input(path);
    return Tokenizer::load(path);
  }
  auto section = run.section("tokenizer");
  std::vector<Document> documents;
  for (const TextSet& set : texts) {
    for (const Text& text : set.train) documents.push_back({{}, text.context + text.target, 0});
  }
  BpeTrainOptions options;
  options.vocab_size =
      static_cast<int32_t>(config.tokenizer.vocab_size.value_or(kDefaultVocabulary));
  return Tokenizer::train(documents, options, &run.pool());
}

Dataset tokenize(const Config& config, const std::vector<TextSet>& texts,
                 const Tokenizer& tokenizer, Run& run) {
  auto section = run.section("tokenize");
  Dataset dataset;
  for (const TextSet& set : texts) {
    const auto add = [&](const std::vector<Text>& part, std::vector<Source>& sources) {
      Source source{tokenize_texts(part, tokenizer), set.cut, set.weight};
      if (set.cut != Cut::windows) reject_long_rows(part, source.stream, config.sequence_len, run);
      sources.push_back(std::move(source));
    };
    add(set.train, dataset.train);
    if (!set.validation.empty()) add(set.validation, dataset.validation);
  }
  return dataset;
}

}  // namespace cupel::train
