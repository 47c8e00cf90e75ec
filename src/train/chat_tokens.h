// A rendered chat → tokens, and which of them are learned.
#pragma once

#include <functional>
#include <string>

#include "data/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "train/sequences.h"

namespace cupel::train {

/// Nothing is put before or behind the text: a template writes its own special tokens. A token is
/// learned if it begins inside a span, or, with `all`, wherever it is. The text is encoded whole;
/// where tokens do not add up to it again (a normalizer changed it), span by span. Throws
/// Error{data}, which begins with `where`, for a span that does not end with a special token: the
/// model would not learn to stop.
MaskedTokens encode_chat(const ChatText& chat, bool all, const Tokenizer& tokenizer,
                         const std::string& where, const std::function<void()>& poll);

/// Throws Error{data} if the document begins with the beginning-of-text token twice.
void refuse_two_beginnings(const MaskedTokens& document, const Tokenizer& tokenizer,
                           const std::string& where);

}  // namespace cupel::train
