// Is a page well-formed? A walker over elements, attributes and entities, as strict as XML.
#pragma once

#include <string>
#include <string_view>

namespace cupel {

/// What is wrong with HTML that is written as XML (every element closed, every attribute quoted),
/// or empty. <!DOCTYPE …> may come first; the insides of <style> are not looked at.
std::string markup_problem(std::string_view text);

/// How often `part` occurs.
int count_of(std::string_view text, std::string_view part);

}  // namespace cupel
