#include "pipeline/preview.h"

#include <algorithm>

#include "base/error.h"
#include "pipeline/html.h"
#include "pipeline/training_data.h"

namespace cupel::pipeline {
namespace {

const Stage& train_stage(const Recipe& recipe) {
  for (const Stage& stage : recipe.stages) {
    if (stage.verb == find_section("train")) return stage;
  }
  fail(ErrorKind::config, recipe.file, "has no section \"train\"",
       "preview shows what train reads");
}

/// Tokens of a row before its padding, whose tokens are each a document of their own.
std::size_t tokens_read(const train::SequenceBatch& batch) {
  auto read = static_cast<std::size_t>(batch.length);
  const auto is_padding = [&](std::size_t i) {
    return batch.inputs[i] == 0 && batch.labels[i] < 0 && batch.positions[i] == 0;
  };
  while (read > 1 && is_padding(read - 1)) --read;
  return read;
}

/// Label i belongs to token i + 1, and the last label to a token past the row.
PreviewSequence sequence_of(const train::SequenceBatch& batch, const Tokenizer& tokenizer) {
  PreviewSequence sequence;
  const auto add = [&](int64_t id, bool learned, bool begins) {
    const auto token = static_cast<int32_t>(id);
    sequence.tokens.push_back({id, tokenizer.decode({&token, 1}), learned, begins});
  };
  const std::size_t read = tokens_read(batch);
  for (std::size_t i = 0; i < read; ++i) {
    add(batch.inputs[i], i > 0 && batch.labels[i - 1] >= 0, batch.positions[i] == 0);
  }
  if (batch.labels[read - 1] >= 0) add(batch.labels[read - 1], true, false);
  return sequence;
}

/// A text to classify: none of its tokens is learned, its class is.
PreviewSequence sequence_of(const nn::ClassifiedRow& row, const train::ClassifyData& data) {
  PreviewSequence sequence;
  for (const int32_t id : row.ids) {
    const std::string piece = data.tokenizer.decode({&id, 1});
    sequence.tokens.push_back({id, piece, false, sequence.tokens.empty()});
  }
  sequence.label = data.rows->labels[static_cast<std::size_t>(row.label)];
  return sequence;
}

PreviewReport preview_texts(const PreviewConfig& config, const Stage& stage,
                            const TrainStage& settings, const Request& request) {
  const ClassifierData data = read_classifier_data(settings, request);
  nn::RowOrder& order = *data.rows.order;
  int64_t rows = 0;
  for (const nn::RowSet& set : data.rows.rows->train) rows += static_cast<int64_t>(set.rows.size());
  PreviewReport report{stage.name, data.rows.tokenizer.vocab_size(), rows, data.run->rejected(), {},
                       config};
  for (int64_t batch = 0; batch < order.batches_per_epoch(); ++batch) {
    for (const nn::ClassifiedRow* row : order.batch(batch)) {
      if (static_cast<int64_t>(report.sequences.size()) == config.sequences) return report;
      report.sequences.push_back(sequence_of(*row, data.rows));
    }
  }
  return report;
}

std::string visible(const std::string& piece) {
  std::string out;
  for (const char c : piece) {
    if (c == '\n') {
      out += "⏎";
    } else if (c == '\t') {
      out += "→";
    } else {
      out += c;
    }
  }
  return out;
}

/// A token's text, its id and its colour, as far as they are asked for.
std::string shown_token(const PreviewToken& token, const PreviewConfig& config) {
  std::string out = visible(token.piece);
  if (config.ids) out += "·" + std::to_string(token.id);
  if (!config.colours) return out;
  return (token.learned ? "\x1b[32m" : "\x1b[2m") + out + "\x1b[0m";
}

}  // namespace

std::string PreviewReport::text() const {
  const auto count = [](int64_t value) { return html::number(static_cast<double>(value)); };
  std::string out = stage + ": " + count(sequences_per_epoch) + " sequences a pass, " +
                    count(vocab_size) + " tokens in the vocabulary, " + count(rejected) +
                    " rows rejected\n" +
                    "| between tokens, ‖ where a document begins, [ ] read but not learned" +
                    (shown.ids ? ", · before an id\n" : "\n");
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto& tokens = sequences[i].tokens;
    const auto learned = std::count_if(tokens.begin(), tokens.end(),
                                       [](const auto& token) { return token.learned; });
    const std::optional<std::string>& label = sequences[i].label;
    out += "\nsequence " + std::to_string(i) + ": " + std::to_string(tokens.size()) + " tokens, " +
           (label ? "class \"" + *label + "\"" : std::to_string(learned) + " learned") + "\n";
    bool inside = false;
    for (const PreviewToken& token : tokens) {
      if (inside && (token.learned || token.begins)) out += ']';
      if (token.begins) out += "‖";
      if (!token.learned && (!inside || token.begins)) {
        out += '[';
      } else if (!token.begins) {
        out += '|';
      }
      inside = !token.learned;
      out += shown_token(token, shown);
    }
    out += inside ? "]\n" : "\n";
  }
  return out;
}

PreviewReport preview(const PreviewConfig& config, const Request& request) {
  const Stage& stage = train_stage(request.recipe);
  const auto settings = settings_of<TrainStage>(stage, request.recipe);
  if (settings.task == train::Task::classify)
    return preview_texts(config, stage, settings, request);
  TrainingData data = read_training_data(settings, request);
  PreviewReport report{stage.name,
                       data.tokenizer.vocab_size(),
                       data.order.sequences_per_epoch(),
                       data.run->rejected(),
                       {},
                       config};
  for (int64_t i = 0; i < config.sequences; ++i) {
    report.sequences.push_back(sequence_of(data.order.batch(i, 1), data.tokenizer));
  }
  return report;
}

}  // namespace cupel::pipeline
