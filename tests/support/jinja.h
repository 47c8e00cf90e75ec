// Rendering a template in one line, for tests.
#pragma once

#include <string>
#include <string_view>

#include "data/jinja/template.h"

namespace cupel::jinja {

/// `variables` is JSON of an object. What the template refuses comes back as "refused: …".
inline std::string rendered(std::string_view text, std::string_view variables = "{}",
                            const RenderOptions& options = {}) {
  const Rendered out = Template(text, "t").render(json::parse(variables, "variables"), options);
  return out.refusal ? "refused: " + *out.refusal : out.text;
}

}  // namespace cupel::jinja
