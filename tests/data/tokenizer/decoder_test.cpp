#include "data/tokenizer/decoder.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/tokenizer_parts.h"

namespace cupel {
namespace {

Decoder parse_decoder(const std::string& text) {
  return Decoder::parse(json::parse(text, ""), "d");
}

std::string decoded(const Decoder& decoder, const std::vector<std::string>& tokens) {
  Decoder::Pieces pieces;
  for (const std::string& token : tokens) {
    pieces.text += decoder.piece(token, pieces.ends.empty());
    pieces.ends.push_back(pieces.text.size());
  }
  return decoder.decode(std::move(pieces));
}

TEST(TokenDecoder, EachGivesWhatTheReferenceGives) {
  for_each_component("decoder", [](const json::Value& component, const json::Value& input,
                                   const json::Value& gives) {
    std::vector<std::string> tokens;
    for (const json::Value& token : input.as_array("")) tokens.push_back(token.as_string(""));
    EXPECT_EQ(decoded(Decoder::parse(component, "d"), tokens), gives.as_string(""))
        << json::dump(input);
  });
}

TEST(TokenDecoder, NoneJoinsTokensBySpaces) {
  EXPECT_EQ(decoded(parse_decoder("null"), {"a", "b", "c"}), "a b c");
}

TEST(TokenDecoder, BytesThatSpellNoCharacterBecomeAMarkEach) {
  const Decoder fallback = parse_decoder(R"({"type": "ByteFallback"})");
  EXPECT_EQ(decoded(fallback, {"<0xE4>", "<0xBD>", "a"}), "\ufffd\ufffda");
  EXPECT_EQ(fallback.bytes("<0xE4>"), "\xe4");
  EXPECT_EQ(parse_decoder(R"({"type": "Fuse"})").bytes("<0xE4>"), "<0xE4>");
}

TEST(TokenDecoder, WhatIsNotKnownIsRefusedByName) {
  const auto refused = [](const std::string& text, const std::string& message) {
    EXPECT_THAT([&] { parse_decoder(text); }, throws_error(ErrorKind::data, message));
  };
  refused(R"({"type": "CTC"})", "d: unknown decoder \"CTC\"; known: ByteFallback, ByteLevel");
  refused(R"({"type": "Sequence", "decoders": [{"type": "BPEDecoder"}]})",
          "d.decoders: unknown decoder");
  refused(R"({"type": "Strip", "content": "", "start": 1, "stop": 0})", "d.content: is empty");
  refused(R"({"type": "Replace", "content": ""})", "missing key \"pattern\"");
  std::string many;
  for (int i = 0; i < 65; ++i) many += std::string(i == 0 ? "" : ",") + R"({"type": "Fuse"})";
  refused(R"({"type": "Sequence", "decoders": [)" + many + "]}", "more than 64 steps");
}

}  // namespace
}  // namespace cupel
