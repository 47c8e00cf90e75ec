// Data sets of a recipe → streams of tokens for training and validation.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/run.h"
#include "data/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "train/sequences.h"
#include "train/texts.h"
#include "train/token_store.h"
#include "train/train.h"

namespace cupel::train {

/// The one that the recipe names, else its base model's, else nothing.
std::optional<Tokenizer> given_tokenizer(const Config& config, Run& run);

/// The tokenizer of the recipe: read, else base_model's, else trained on the training texts and
/// kept in `store`. Throws Interrupted when asked to stop, as tokenize does.
Tokenizer make_tokenizer(const Config& config, const std::vector<TextSet>& sets,
                         const TokenStore& store, Run& run);

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

/// Texts → tokens, in memory that does not grow with them; sets that `store` has are not read.
/// Each document stands behind the tokenizer's prefix and is closed by the end-of-text token, if it
/// has one; a chat is what the template makes of it. Rows that cannot be read go to rejects.jsonl,
/// as do those that are lost because they are longer than sequence_len (excess_length_strategy),
/// for want of a label or because the template refuses them. Throws Error{data} for a set without a
/// good row, a longer row where nothing is chosen, two beginnings of text, a learned turn without
/// its end; Error{config} for chats without a template.
Dataset tokenize(const Config& config, const std::vector<TextSet>& sets, const Tokenizer& tokenizer,
                 const TokenStore& store, Run& run);

}  // namespace cupel::train
