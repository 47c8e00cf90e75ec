// A chat template: whatever it says, it renders, refuses or fails within its limits.
#include "data/jinja/template.h"
#include "fuzz/survive.h"

namespace cupel {

const json::Value& variables() {
  static const json::Value value = json::parse(
      R"({"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "你好"},
          {"role": "assistant", "content": null, "tool_calls": [{"function": {"name": "f",
          "arguments": {"a": [1, 2.5, true]}}}]}], "tools": [], "bos_token": "<s>", "n": 3,
          "s": "a b", "add_generation_prompt": true})",
      "variables");
  return value;
}

void check(std::string_view text) {
  jinja::RenderOptions options;
  options.limits.steps = 20'000;  // so that many inputs are tried a second
  options.limits.memory = std::size_t{8} << 20;
  options.limits.output = std::size_t{1} << 20;
  options.time = 0;
  const jinja::Template program(text, "fuzz");
  const jinja::Rendered rendered = program.render(variables(), options);
  fuzz::require(rendered.text.size() <= options.limits.output);
  std::size_t at = 0;
  for (const jinja::Span& span : rendered.generated) {
    fuzz::require(at <= span.begin && span.begin < span.end && span.end <= rendered.text.size());
    at = span.end;
  }
  fuzz::require(program.render(variables(), options).text == rendered.text);
}

}  // namespace cupel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cupel::fuzz::survive([&] { cupel::check(text); });
  return 0;
}
