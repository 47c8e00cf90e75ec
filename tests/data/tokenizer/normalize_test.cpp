#include "data/tokenizer/normalize.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/tokenizer_parts.h"

namespace cupel {
namespace {

Normalizer parse_normalizer(const std::string& text) {
  return Normalizer::parse(json::parse(text, ""), "n");
}

std::string applied(const std::string& type, std::string_view text) {
  return parse_normalizer("{\"type\": \"" + type + "\"}").apply(text);
}

TEST(Normalize, EachFormIsThatOfUnicode) {
  const std::string text = "\u00e9 e\u0301 \ufb01 \u212b \uac00";
  EXPECT_EQ(applied("NFC", text), "\u00e9 \u00e9 \ufb01 \u00c5 \uac00");
  EXPECT_EQ(applied("NFD", text), "e\u0301 e\u0301 \ufb01 A\u030a \u1100\u1161");
  EXPECT_EQ(applied("NFKC", text), "\u00e9 \u00e9 fi \u00c5 \uac00");
  EXPECT_EQ(applied("NFKD", text), "e\u0301 e\u0301 fi A\u030a \u1100\u1161");
  EXPECT_EQ(applied("NFC", "a\u0323\u0307"), applied("NFC", "a\u0307\u0323"))
      << "marks are ordered";
}

TEST(Normalize, KeepsNulAndLongTexts) {
  EXPECT_EQ(applied("NFC", std::string_view("a\0e\u0301", 5)), std::string("a\0\u00e9", 4));
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "e\u0301";
  EXPECT_EQ(applied("NFC", many).size(), 200'000u);
  EXPECT_EQ(applied("NFC", ""), "");
}

TEST(Normalize, StepsOfASequenceFollowEachOther) {
  const Normalizer normalizer = parse_normalizer(R"({"type": "Sequence", "normalizers": [
      {"type": "NFKD"}, {"type": "Sequence", "normalizers": [{"type": "NFC"}]}]})");
  EXPECT_EQ(normalizer.apply("\ufb01\u00e9"), "fi\u00e9");
  EXPECT_EQ(parse_normalizer(R"({"type": "Sequence", "normalizers": []})").apply("e\u0301"),
            "e\u0301");
}

TEST(Normalize, KnowsWhatItSurelyLeavesAlone) {
  EXPECT_TRUE(parse_normalizer("null").keeps("e\u0301"));
  EXPECT_TRUE(parse_normalizer(R"({"type": "NFC"})").keeps("ascii \x7f"));
  EXPECT_TRUE(parse_normalizer(R"({"type": "NFC"})").keeps("\u00e9"));
  EXPECT_FALSE(parse_normalizer(R"({"type": "NFC"})").keeps("e\u0301"));
  EXPECT_EQ(parse_normalizer("null").apply("e\u0301"), "e\u0301");
}

TEST(Normalize, EachGivesWhatTheReferenceGives) {
  for_each_component("normalizer", [](const json::Value& component, const json::Value& text,
                                      const json::Value& gives) {
    const Normalizer normalizer = Normalizer::parse(component, "n");
    EXPECT_EQ(normalizer.apply(text.as_string("")), gives.as_string(""));
    EXPECT_TRUE(!normalizer.keeps(text.as_string("")) || text == gives);
  });
}

TEST(Normalize, AStepGrowsATextWithinLimits) {
  const Normalizer grown =
      parse_normalizer(R"({"type": "Replace", "pattern": {"Regex": ""}, "content": ")" +
                       std::string(100, 'x') + "\"}");
  EXPECT_EQ(grown.apply("ab").size(), 302u);
  EXPECT_THAT([&] { grown.apply(std::string(1000, 'a')); },
              throws_error(ErrorKind::data, "replacements make a text more than 16 times as long"));
  std::string many;
  for (int i = 0; i < 65; ++i) many += std::string(i == 0 ? "" : ",") + R"({"type": "NFC"})";
  EXPECT_THAT([&] { parse_normalizer(R"({"type": "Sequence", "normalizers": [)" + many + "]}"); },
              throws_error(ErrorKind::data, "more than 64 steps; leave out"));
}

TEST(Normalize, WhatIsNotKnownIsRefusedByName) {
  EXPECT_THAT([] { parse_normalizer(R"({"type": "Precompiled"})"); },
              throws_error(ErrorKind::data,
                           "n: unknown normalizer \"Precompiled\"; known: BertNormalizer"));
  EXPECT_THAT(
      [] { parse_normalizer(R"({"type": "Sequence", "normalizers": [{"type": "Bert"}]})"); },
      throws_error(ErrorKind::data, "n.normalizers: unknown normalizer \"Bert\""));
  EXPECT_THAT([] { parse_normalizer("{}"); },
              throws_error(ErrorKind::data, "missing key \"type\""));
  EXPECT_THAT([] { parse_normalizer(R"({"type": "Sequence"})"); },
              throws_error(ErrorKind::data, "missing key \"normalizers\""));
  EXPECT_THAT([] { parse_normalizer("7"); },
              throws_error(ErrorKind::data, "n: expected an object"));
}

}  // namespace
}  // namespace cupel
