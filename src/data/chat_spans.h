// Where a role's turns stand in a rendered chat, found by comparing renderings.
#pragma once

#include <string>
#include <vector>

#include "data/chat_template.h"

namespace cupel::chat {

/// For templates without {% generation %}. `whole` is the rendering of `chat`. For each message of
/// `roles` these are rendered:
/// - the messages before it, with the generation prompt: where that begins `whole`, the turn begins
///   at its end (else, and for other roles than assistant, at the content);
/// - the chat with a mark behind the message's content: what follows the mark also ends `whole`, so
///   the content's end is known, though the template may strip it;
/// - the messages up to it: what follows the content there closes a turn, as far as `whole` goes on
///   alike. A template that renders a turn otherwise when others follow (Qwen 3 leaves earlier
///   thoughts out) is thereby no trouble.
/// Throws Error{data} where none of that tells.
std::vector<TextSpan> find_turns(const ChatTemplate& chat_template, const Chat& chat,
                                 const std::vector<std::string>& roles, const std::string& whole);

}  // namespace cupel::chat
