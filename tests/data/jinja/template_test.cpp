#include "data/jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

json::Value fixture() {
  const auto path = std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/jinja/snippets.json";
  return json::parse(read_file(path), "snippets");
}

/// What became of a snippet, as the fixture has it.
json::Value outcome(const std::string& text, const json::Value& variables) {
  json::Value out{json::Object{{"template", text}}};
  RenderOptions options;
  options.time = 0;
  try {
    const Rendered rendering = Template(text, "t").render(variables, options);
    if (rendering.refusal) {
      out.set("raised", *rendering.refusal);
      return out;
    }
    out.set("text", rendering.text);
    json::Array spans;
    for (const Span& span : rendering.generated)
      spans.push_back(
          json::Array{static_cast<int64_t>(span.begin), static_cast<int64_t>(span.end)});
    if (!spans.empty()) out.set("generated", spans);
  } catch (const Error&) {
    out.set("error", true);
  }
  return out;
}

TEST(JinjaTemplate, RendersEverySnippetAsTransformersDoes) {
  const json::Value root = fixture();
  const json::Value& variables = root.at("variables", "");
  int snippets = 0;
  for (const json::Value& expected : root.at("cases", "").as_array("")) {
    const std::string& text = expected.at("template", "").as_string("");
    EXPECT_EQ(json::dump(outcome(text, variables)), json::dump(expected));
    ++snippets;
  }
  EXPECT_GT(snippets, 300);
}

TEST(JinjaTemplate, TellsWhetherItMarksWhatIsGenerated) {
  EXPECT_TRUE(Template("{% if x %}{% generation %}a{% endgeneration %}{% endif %}", "t")
                  .marks_generation());
  EXPECT_FALSE(Template("a", "t").marks_generation());
}

}  // namespace
}  // namespace cupel::jinja
