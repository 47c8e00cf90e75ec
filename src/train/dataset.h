// Data sets of a recipe → token streams for training and validation.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/run.h"
#include "data/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "train/sequences.h"
#include "train/train.h"

namespace cupel::train {

/// A document before tokens: what is read but not learned, and what is learned; or a chat.
struct Text {
  std::string context, target;
  int64_t line = 0;  // in the set's input, from 1
  std::optional<Chat> chat{};
};

/// One data set, split. Running text: the last val_set_size of it, a single document being cut at a
/// line end; rows: those whose hash falls into the share, so that a row never changes sides.
struct TextSet {
  std::vector<Text> train, validation;
  std::string input;  // the file, as rejects name it
  Cut cut = Cut::windows;
  double weight = 1;
  std::vector<std::string> roles = {};  // of a chat, whose turns are learned
  std::optional<ExcessLength> excess = {};
};

/// Reads every data set; rows that cannot be read go to rejects.jsonl. Throws Error{data} for a set
/// without a single good row, Error{config} for a missing file, Interrupted when asked to stop.
std::vector<TextSet> load_texts(const Config& config, Run& run);

/// The tokenizer of the recipe: read, else base_model's, else trained on the training texts. Throws
/// Interrupted when asked to stop, as tokenize does.
Tokenizer make_tokenizer(const Config& config, const std::vector<TextSet>& texts, Run& run);

struct Dataset {
  std::vector<Source> train;
  std::vector<Source> validation;
  std::optional<ChatTemplate> chat_template{};  // the recipe's, else the tokenizer's
};

/// The recipe's chat template, else that of the tokenizer, whose tokenizer_config.json is given;
/// nothing if there is none. Throws Error{config} for a missing file or an unknown name,
/// Error{data} for what is no template.
std::optional<ChatTemplate> load_chat_template(const Config& config,
                                               std::string_view tokenizer_config);

/// Texts → tokens. Each document stands behind the tokenizer's prefix and is closed by the
/// end-of-text token, if it has one; a chat is what the template makes of it. Rows longer than
/// sequence_len go by excess_length_strategy; rows that are lost, by it, for want of a label or
/// because the template refuses them, go to rejects.jsonl. Throws Error{data} for a longer row
/// where nothing is chosen, for two beginnings of text, for a learned turn without its end;
/// Error{config} for chats without a template.
Dataset tokenize(const Config& config, const std::vector<TextSet>& texts,
                 const Tokenizer& tokenizer, Run& run);

}  // namespace cupel::train
