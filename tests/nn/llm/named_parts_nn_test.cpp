#include "nn/llm/named_parts_nn.h"

#include <gtest/gtest.h>

#include <set>

#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

TEST(NamedParts, GiveEveryTensorOfAPublishedCheckpointOnceAndNoOther) {
  const char* name = "deepseek_v3_tiny/multi_token_prediction";
  const auto decoder = fixture_decoder(name);
  std::set<std::string> published, parts;
  const Safetensors file = Safetensors::open(fixture(name) / "model.safetensors");
  for (const TensorEntry& entry : file.tensors()) published.insert(entry.name);
  for (const NamedPart& part : parts_of(*decoder))
    EXPECT_TRUE(parts.insert(part.name).second) << part.name;
  EXPECT_EQ(parts, published);
}

TEST(NamedParts, AreViewsOfTheDecoder) {
  const auto decoder = fixture_decoder("deepseek_v3_tiny/default");
  const at::NoGradGuard no_grad;
  for (const NamedPart& part : parts_of(*decoder)) part.tensor.fill_(7);
  for (const auto& item : decoder->named_parameters())
    EXPECT_TRUE(item.value().eq(7).all().item<bool>()) << item.key();
}

}  // namespace
}  // namespace cupel::llm
