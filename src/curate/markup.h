// What is left of HTML in a text: tags, comments, scripts, entities.
#pragma once

#include <cstdint>
#include <string_view>

namespace cupel::curate {

struct MarkupCounts {
  int64_t pieces = 0;      // tags, comments, entities
  int64_t characters = 0;  // code points of them, and of what scripts and styles hold
};

/// A tag has the name of an element of HTML, so "p < 0.05" and "vector<int>" are none. One pass:
/// what is not closed is passed over once.
MarkupCounts count_markup(std::string_view text);

}  // namespace cupel::curate
