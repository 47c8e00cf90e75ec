#include "data/gguf_write.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/gguf.h"
#include "support/files.h"

namespace cupel {
namespace {

/// `bytes` handed over in pieces of `piece`.
GgufOutput output(std::string name, GgufType type, std::vector<int64_t> shape, std::string bytes,
                  std::size_t piece = 1000) {
  return {std::move(name), type, std::move(shape), [bytes, piece](const ByteSink& sink) {
            const auto all = std::as_bytes(std::span(bytes));
            for (std::size_t at = 0; at < all.size(); at += piece)
              sink(all.subspan(at, std::min(piece, all.size() - at)));
          }};
}

GgufMetadata every_kind() {
  GgufMetadata metadata;
  metadata.number("u8", uint8_t{200});
  metadata.number("i8", int8_t{-100});
  metadata.number("u16", uint16_t{60000});
  metadata.number("i16", int16_t{-30000});
  metadata.number("u32", uint32_t{4000000000});
  metadata.number("i32", int32_t{-2000000000});
  metadata.number("u64", uint64_t{1} << 62);
  metadata.number("i64", -(int64_t{1} << 62));
  metadata.number("f32", 1e-5F);
  metadata.number("f64", 0.1);
  metadata.boolean("bool", true);
  metadata.text("text", "größer");
  metadata.texts("texts", {"a", "", "中文"});
  metadata.numbers("ints", std::vector<int32_t>{1, -2, 3});
  metadata.numbers("floats", std::vector<float>{0.5F, -0.25F});
  metadata.numbers("none", std::vector<uint64_t>{});
  return metadata;
}

TEST(GgufWrite, WritesEveryKindOfValueThatIsRead) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  write_gguf(folder / "m.gguf", every_kind(), {});
  const Gguf file = Gguf::open(folder / "m.gguf");
  EXPECT_EQ(file.contents().version, 3u);
  ASSERT_EQ(file.contents().metadata.size(), 16u);
  EXPECT_EQ(file.contents().metadata[0].key, "u8");
  const std::pair<const char*, int64_t> integers[] = {
      {"u8", 200},         {"i8", -100},         {"u16", 60000},           {"i16", -30000},
      {"u32", 4000000000}, {"i32", -2000000000}, {"u64", int64_t{1} << 62}};
  for (const auto& [key, value] : integers) EXPECT_EQ(file.at(key).as_int(key), value);
  EXPECT_EQ(file.at("i64").as_int(""), -(int64_t{1} << 62));
  EXPECT_EQ(file.at("f32").kind, GgufKind::f32);
  EXPECT_EQ(file.at("f32").as_double(""), 1e-5);
  EXPECT_EQ(file.at("f64").as_double(""), 0.1);
  EXPECT_TRUE(file.at("bool").as_bool(""));
  EXPECT_EQ(file.at("text").as_text(""), "größer");
  EXPECT_EQ(file.at("texts").as_texts(""), (std::vector<std::string_view>{"a", "", "中文"}));
  EXPECT_EQ(file.at("ints").as_ints(""), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(file.at("floats").as_doubles(""), (std::vector<double>{0.5, -0.25}));
  EXPECT_TRUE(file.at("none").as_ints("").empty());
}

TEST(GgufWrite, AlignsTensorsOfEveryFormatAndTakesTheirBytesAsTheyAre) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string codes(36, '\x5A');
  write_gguf(folder / "m.gguf", every_kind(),
             {output("odd", GgufType::f32, {3}, std::string(12, 'o'), 5),
              output("codes", GgufType::iq4_nl, {2, 32}, codes, 7),
              output("cube", GgufType::f16, {2, 3, 5}, std::string(60, 'c'))});
  const Gguf file = Gguf::open(folder / "m.gguf");
  ASSERT_EQ(file.contents().tensors.size(), 3u);
  const GgufTensor &a = *file.tensor("odd"), &b = *file.tensor("codes"), &c = *file.tensor("cube");
  EXPECT_EQ(b.data - a.data, 32);
  EXPECT_EQ(c.data - b.data, 64);
  EXPECT_EQ(b.shape, (std::vector<int64_t>{2, 32}));
  EXPECT_EQ(c.shape, (std::vector<int64_t>{2, 3, 5}));
  EXPECT_EQ(std::memcmp(b.data, codes.data(), codes.size()), 0);
  EXPECT_EQ(std::filesystem::file_size(folder / "m.gguf") % 32, 0u);
}

TEST(GgufWrite, GivesTheSameBytesHoweverTheyAreHandedOver) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  for (const std::size_t piece : {1u, 64u, 4096u}) {
    write_gguf(folder / std::to_string(piece), every_kind(),
               {output("t", GgufType::f32, {16, 64}, std::string(4096, 't'), piece)});
  }
  EXPECT_EQ(read_file(folder / "1"), read_file(folder / "64"));
  EXPECT_EQ(read_file(folder / "1"), read_file(folder / "4096"));
}

TEST(GgufWrite, RefusesWhatWouldBeNoFile) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto write = [&](const std::vector<GgufOutput>& tensors) {
    write_gguf(folder / "m.gguf", {}, tensors);
  };
  const GgufOutput one = output("t", GgufType::f32, {1}, std::string(4, 't'));
  EXPECT_THROW(write({one, one}), Error);
  EXPECT_THROW(write({output("t", GgufType::f32, {2}, std::string(4, 't'))}), Error);
  EXPECT_THROW(write({output("t", GgufType::q8_0, {31}, "")}), Error);
  EXPECT_THROW(write({output("t", GgufType::f32, {}, "")}), Error);
  EXPECT_THROW(write({output("t", GgufType::f32, {0}, "")}), Error);
  GgufMetadata metadata;
  metadata.boolean("k", true);
  EXPECT_THROW(metadata.boolean("k", true), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "m.gguf"));
}

}  // namespace
}  // namespace cupel
