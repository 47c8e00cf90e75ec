// A recipe's section into settings: what is accepted must read back equal from config.yaml.
#include "base/config_doc.h"
#include "base/config_yaml.h"
#include "fuzz/survive.h"
#include "train/train.h"

namespace cupel {

json::Value read(std::string_view text) {
  train::Config config;
  yaml::read_struct(yaml::parse(text, "fuzz.yaml"), config, {"train", ""});
  return to_json(config);
}

void check(std::string_view text) {
  const json::Value settings = read(text);
  json::Value again;
  try {
    again = read(to_yaml(settings));
  } catch (const Error&) {
    std::terminate();
  }
  fuzz::require(json::dump(again) == json::dump(settings));
}

}  // namespace cupel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  cupel::fuzz::survive([&] { cupel::check(bytes); });
  cupel::fuzz::survive([&] {
    cupel::yaml::Node root = cupel::yaml::parse("a: [{b: 1}]", "fuzz.yaml");
    cupel::yaml::merge_override(root, bytes);
  });
  return 0;
}
