#include "data/gguf.h"

#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/gguf_bytes.h"

namespace cupel {
namespace {

constexpr uint32_t kF32 = 0, kQ4_0 = 2;

void expect_refused(const GgufBytes& file, const std::string& text) {
  EXPECT_THAT([&] { parse_gguf(file.image(), "m.gguf"); }, throws_error(ErrorKind::data, text));
}

/// Two tensors: "a" [2, 32] of Q4_0 at 0 and "b" [3] of F32 at 64.
GgufBytes small_file(uint32_t version = 3) {
  GgufBytes file;
  file.header(2, 1, version).entry("general.architecture", "llama");
  file.tensor("b", {3}, kF32, 64).tensor("a", {32, 2}, kQ4_0, 0);
  file.pad().zeros(64 + 12);
  return file;
}

TEST(Gguf, ReadsVersionsTwoAndThreeWithTensorsByName) {
  for (const uint32_t version : {2u, 3u}) {
    const GgufBytes file = small_file(version);
    const GgufContents contents = parse_gguf(file.image(), "m.gguf");
    EXPECT_EQ(contents.version, version);
    ASSERT_EQ(contents.metadata.size(), 1u);
    EXPECT_EQ(contents.metadata[0].key, "general.architecture");
    ASSERT_EQ(contents.tensors.size(), 2u);
    const GgufTensor &a = contents.tensors[0], &b = contents.tensors[1];
    EXPECT_EQ(a.name, "a");
    EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 32}));
    EXPECT_EQ(a.count, 64);
    EXPECT_EQ(a.bytes, 36);
    EXPECT_EQ(b.shape, std::vector<int64_t>{3});
    EXPECT_EQ(b.data - a.data, 64);
    EXPECT_EQ(b.data + b.bytes, file.image().data() + file.image().size());
  }
}

TEST(Gguf, FindsByNameAndKeyAndSaysWhichKeyIsMissing) {
  const TemporaryFolder folder;
  const Gguf file = Gguf::open(folder.write("m.gguf", small_file().bytes));
  EXPECT_EQ(file.at("general.architecture").as_text(""), "llama");
  EXPECT_EQ(file.find("general.name"), nullptr);
  EXPECT_NE(file.tensor("b"), nullptr);
  EXPECT_EQ(file.tensor("c"), nullptr);
  EXPECT_THAT([&] { file.at("general.name"); },
              throws_error(ErrorKind::data, "m.gguf: missing key \"general.name\""));
}

TEST(Gguf, StaysValidWhenMoved) {
  const TemporaryFolder folder;
  Gguf file = Gguf::open(folder.write("m.gguf", small_file().bytes));
  const Gguf moved = std::move(file);
  EXPECT_EQ(moved.tensor("a")->bytes, 36);
  EXPECT_EQ(moved.at("general.architecture").as_text(""), "llama");
}

TEST(Gguf, RefusesEveryTruncation) {
  const std::string whole = small_file().bytes;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    GgufBytes cut;
    cut.bytes = whole.substr(0, size);
    EXPECT_THROW(parse_gguf(cut.image(), "m.gguf"), Error) << size;
  }
}

TEST(Gguf, RefusesOtherFilesAndVersions) {
  GgufBytes file;
  file.bytes = "GGML\3\0\0\0";
  expect_refused(file, "m.gguf: does not begin with \"GGUF\"");
  expect_refused(GgufBytes().header(0, 0, 1), "m.gguf: has version 1; read are versions 2 and 3");
  expect_refused(GgufBytes().header(0, 0, 3u << 24), "m.gguf: is big-endian; read are");
}

TEST(Gguf, RefusesLyingCountsBeforeItAllocates) {
  expect_refused(GgufBytes().header(uint64_t{1} << 60, 0), "at most 100000 of each allowed");
  expect_refused(GgufBytes().header(0, uint64_t{1} << 60), "at most 100000 of each allowed");
  expect_refused(GgufBytes().header(0, 100'000), "truncated");
  GgufBytes array;
  array.header(0, 1).key("k", GgufKind::array).number(static_cast<uint32_t>(GgufKind::f64));
  expect_refused(array.number(uint64_t{1} << 61),
                 "m.gguf: k: array of 2305843009213693952 items in a file with 0 bytes left");
  GgufBytes texts;
  texts.header(0, 1).key("k", GgufKind::array).number(static_cast<uint32_t>(GgufKind::text));
  expect_refused(texts.number(uint64_t{1} << 61), "text of 8 bytes at byte");
  GgufBytes text;
  text.header(0, 1).key("k", GgufKind::text).number(UINT64_MAX);
  expect_refused(text, "text of 18446744073709551615 bytes, at most");
}

TEST(Gguf, RefusesBadMetadata) {
  expect_refused(GgufBytes().header(0, 2).entry("k", 1u).entry("k", 2u), "m.gguf: k: stands twice");
  expect_refused(GgufBytes().header(0, 1).text("k").number(13u), "m.gguf: k: unknown kind 13");
  GgufBytes nested;
  nested.header(0, 1).key("k", GgufKind::array).number(static_cast<uint32_t>(GgufKind::array));
  expect_refused(nested.number(uint64_t{0}), "m.gguf: k: is an array of arrays");
  expect_refused(GgufBytes().header(0, 1).entry("\xFF", 1u), "key is no UTF-8");
  expect_refused(GgufBytes().header(0, 1).entry(std::string(65536, 'k'), 1u),
                 "key of 65536 bytes, at most 65535 allowed");
  expect_refused(GgufBytes().header(0, 1).entry("general.alignment", 48u),
                 "general.alignment: 48 is no power of two");
  expect_refused(GgufBytes().header(0, 1).entry("general.alignment", 0u), "0 is no power of two");
  expect_refused(GgufBytes().header(0, 1).entry("general.alignment", "32"), "not an integer");
}

TEST(Gguf, HonoursAnotherAlignment) {
  GgufBytes file;
  file.header(1, 1).entry("general.alignment", 8u).tensor("t", {1}, kF32, 8);
  const GgufContents contents = parse_gguf(file.pad(8).zeros(12).image(), "m.gguf");
  EXPECT_EQ(contents.tensors[0].data, file.image().data() + file.bytes.size() - 4);
}

/// A file of one tensor with 64 bytes of data.
GgufBytes one(const std::vector<uint64_t>& sizes, uint32_t type, uint64_t offset) {
  GgufBytes file;
  file.header(1, 0).tensor("t", sizes, type, offset).pad().zeros(64);
  return file;
}

TEST(Gguf, RefusesTensorsThatCannotBe) {
  expect_refused(one({}, kF32, 0), "tensor \"t\": has 0 dimensions, 1 to 4 are allowed");
  expect_refused(one({1, 1, 1, 1, 1}, kF32, 0), "tensor \"t\": has 5 dimensions");
  expect_refused(one({0}, kF32, 0), "tensor \"t\": size 0 makes no tensor");
  expect_refused(one({uint64_t{1} << 32, uint64_t{1} << 32}, kF32, 0), "makes no tensor");
  expect_refused(one({UINT64_MAX}, kF32, 0), "makes no tensor");
  expect_refused(one({uint64_t{1} << 62}, kF32, 0), "tensor \"t\": is larger than any file");
  expect_refused(one({16}, kQ4_0, 0), "rows of 16 numbers are not whole blocks of 32");
  expect_refused(one({256}, 16, 0),
                 "tensor \"t\": has format IQ2_XXS, which is not read; known: F32, F16, BF16");
  expect_refused(one({1}, kF32, 4), "offset 4 is no multiple of 32");
  expect_refused(one({17}, kF32, 0), "68 bytes at 0 do not lie in the file's 64 bytes of data");
  expect_refused(one({1}, kF32, UINT64_MAX - 31), "do not lie in the file's 64 bytes");
}

TEST(Gguf, RefusesTensorsThatOverlapOrStandTwice) {
  GgufBytes overlap;
  overlap.header(2, 0).tensor("a", {9}, kF32, 0).tensor("b", {1}, kF32, 32).pad().zeros(64);
  expect_refused(overlap, "tensor \"b\": overlaps the tensor before it");
  GgufBytes twice;
  twice.header(2, 0).tensor("a", {1}, kF32, 0).tensor("a", {1}, kF32, 32).pad().zeros(64);
  expect_refused(twice, "tensor \"a\": stands twice");
  GgufBytes name;
  name.header(1, 0).tensor(std::string(257, 't'), {1}, kF32, 0);
  expect_refused(name, "tensor name of 257 bytes, at most 256 allowed");
}

}  // namespace
}  // namespace cupel
