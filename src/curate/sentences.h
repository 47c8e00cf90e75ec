// Where sentences begin, in any script.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cupel::curate {

/// A full stop, question or exclamation mark or ellipsis of any script.
bool ends_sentence(char32_t character);

/// A quotation mark that may follow it.
bool closes_quotation(char32_t character);

/// The offsets where sentences begin, and at last the text's size; white space between two
/// sentences belongs to the first. A sentence ends at the end of a line, and after its marks where
/// a character of a script without spaces follows, or white space and no lower-case ASCII letter
/// ("e.g. this"); after 。！？ any letter or digit may follow at once. Abbreviations before a
/// capital or a digit end one too. After `most` sentences the text is read no further.
std::vector<std::size_t> sentence_edges(std::string_view text, std::size_t most = SIZE_MAX);

}  // namespace cupel::curate
