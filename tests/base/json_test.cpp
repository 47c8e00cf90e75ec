#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/errors.h"

namespace cupel::json {
namespace {

std::string round_trip(const std::string& text) { return dump(parse(text, "test")); }

auto refuses(const std::string& text, const std::string& message) {
  return testing::Matches(throws_error(ErrorKind::data, message))(
      std::function<void()>([text] { parse(text, "x.json"); }));
}

TEST(Json, KeepsTheOrderOfMembers) {
  EXPECT_EQ(round_trip(R"({"b": 1, "a": [true, null, "x"]})"), R"({"b":1,"a":[true,null,"x"]})");
}

TEST(Json, KeepsIntegersApartFromDoubles) {
  EXPECT_TRUE(parse("1", "").is_int());
  EXPECT_FALSE(parse("1.0", "").is_int());
  EXPECT_EQ(round_trip("[1,1.0,-9223372036854775808]"), "[1,1.0,-9223372036854775808]");
}

TEST(Json, AnIntegerBeyondSixtyFourBitsBecomesADouble) {
  EXPECT_EQ(parse("9223372036854775808", "").as_double(""), 0x1p63);
  EXPECT_EQ(parse("100000000000000000000", "").as_double(""), 1e20);
}

TEST(Json, PrintsDoublesSoThatTheyReadBackEqual) {
  for (const double value : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0}) {
    const double back = parse(dump(value), "").as_double("");
    EXPECT_EQ(std::signbit(back), std::signbit(value));
    EXPECT_EQ(back, value);
  }
}

TEST(Json, PrintsWhatIsNotFiniteAsNull) {
  EXPECT_EQ(dump(Array{INFINITY, -INFINITY, std::nan("")}), "[null,null,null]");
}

TEST(Json, EscapesTextAndReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(dump("a\"\\\n\x01é"), "\"a\\\"\\\\\\n\\u0001é\"");
  EXPECT_EQ(dump("a\xff"
                 "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
}

TEST(Json, IndentsAndKeepsEmptyContainersShort) {
  const Value value = Object{{"a", Array{1, 2}}, {"b", Object{}}, {"c", Array{}}};
  EXPECT_EQ(dump(value, 2), "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}");
}

TEST(Json, RefusesADuplicateKeyWithItsPlace) {
  EXPECT_THAT(
      [] { parse("{\"a\": 1,\n \"a\": 2}", "x.json"); },
      throws_exactly(ErrorKind::data, "x.json:2:4: duplicate key \"a\"; keep one of the two"));
  EXPECT_EQ(round_trip(R"({"a":{"a":1}})"), R"({"a":{"a":1}})") << "not across levels";
}

TEST(Json, RefusesDeepNestingBeforeTheStackDoes) {
  const std::string deep(300000, '[');
  EXPECT_TRUE(refuses(deep, "x.json:1:65: nested more than 64 levels deep"));
  EXPECT_TRUE(refuses(std::string(3, '[') + std::string(3, ']') + "]", "not well-formed"));
  EXPECT_NO_THROW(parse(std::string(64, '[') + std::string(64, ']'), ""));
}

TEST(Json, RefusesWhatIsNotWellFormedWithItsPlace) {
  EXPECT_TRUE(refuses("", "x.json:1:1: not well-formed JSON: unexpected end of input"));
  EXPECT_TRUE(refuses("{\"a\": 1,}", "x.json:1:9: not well-formed JSON"));
  EXPECT_TRUE(refuses("[1] 2", "not well-formed JSON"));
  EXPECT_TRUE(refuses("[1\n,\n  nul]", "x.json:3:6: not well-formed JSON: invalid literal"));
  EXPECT_TRUE(refuses("[01]", "not well-formed JSON"));
  EXPECT_TRUE(refuses("NaN", "not well-formed JSON"));
  EXPECT_TRUE(refuses("1e999", "not well-formed JSON: number overflow"));
  EXPECT_TRUE(refuses("// no\n1", "not well-formed JSON"));
}

TEST(Json, RefusesBytesThatAreNoUtf8AndLoneSurrogates) {
  EXPECT_TRUE(refuses("\"\xff\"", "ill-formed UTF-8"));
  EXPECT_TRUE(refuses(R"("\ud800")", "surrogate"));
  EXPECT_EQ(parse(R"("\ud83d\ude00")", "").as_string(""), "😀");
}

TEST(Json, RefusesATextOverTheLimitBeforeReadingIt) {
  EXPECT_THAT([] { parse("[1, 2, 3]", "x.json", {.depth = 64, .bytes = 8}); },
              throws_error(ErrorKind::data, "9 bytes of JSON, more than the limit of 8"));
}

TEST(Json, TypedAccessNamesTheValueAndWhatItIs) {
  const Value value = parse(R"({"a": "x", "n": -1, "f": 3.7})", "");
  EXPECT_THAT([&] { value.at("a", "m.json").as_int("m.json: a"); },
              throws_error(ErrorKind::data, "m.json: a: expected an integer, got text"));
  EXPECT_THAT([&] { value.at("b", "m.json"); },
              throws_error(ErrorKind::data, "m.json: missing key \"b\""));
  EXPECT_THAT([&] { value.at("f", "").as_int("f"); }, throws_error(ErrorKind::data, "f: expected"));
  EXPECT_THAT([&] { Value(Array{}).at("b", "list"); },
              throws_error(ErrorKind::data, "list: expected an object, got a list"));
  EXPECT_EQ(value.at("n", "").as_int(""), -1);
  EXPECT_EQ(parse("2.0", "").as_int(""), 2);
  EXPECT_EQ(parse("2", "").as_double(""), 2.0);
}

TEST(Json, SetReplacesOrAppends) {
  Value value;
  value.set("a", 1);
  value.set("b", 2);
  value.set("a", "new");
  EXPECT_EQ(dump(value), R"({"a":"new","b":2})");
}

TEST(Json, AVocabularyOfManyKeysTakesNoQuadraticTime) {
  std::string text = "{";
  for (int i = 0; i < 100000; ++i) {
    text += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
  }
  EXPECT_EQ(parse(text + "}", "").as_object("").size(), 100000u);
}

}  // namespace
}  // namespace cupel::json
