#include "data/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

const std::filesystem::path kSafetensors =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";

/// A file image with this header and these data, the length in front as it should be.
std::string image(const std::string& header, const std::string& data = "") {
  const uint64_t size = header.size();
  std::string out(sizeof size, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  return out + header + data;
}

std::string image_of_length(uint64_t length, const std::string& rest) {
  std::string out(sizeof length, '\0');
  std::memcpy(out.data(), &length, sizeof length);
  return out + rest;
}

/// One tensor "a" of eight bytes of data.
std::string one(const std::string& entry) { return image("{\"a\":{" + entry + "}}", "12345678"); }

std::vector<TensorEntry> parse_bytes(const std::string& bytes) {
  return parse_safetensors(std::as_bytes(std::span(bytes)), "x.safetensors");
}

auto refuses_bytes(const std::string& bytes, const std::string& message) {
  return testing::Matches(throws_error(ErrorKind::data, message))(
      std::function<void()>([bytes] { parse_bytes(bytes); }));
}

std::vector<std::string> names(const std::vector<TensorEntry>& tensors) {
  std::vector<std::string> result;
  for (const TensorEntry& tensor : tensors) result.push_back(tensor.name);
  return result;
}

/// The metadata lead the header, and the reference implementation gives them no order.
std::string without_metadata(std::string bytes) {
  const std::size_t begin = bytes.find("{\"__metadata__\":"), end = bytes.find("},");
  return begin == bytes.npos ? bytes : bytes.erase(begin, end - begin);
}

TEST(Safetensors, AFileOfTheReferenceImplementationIsWrittenAgainByteForByte) {
  const TemporaryFolder folder;
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kSafetensors)) {
    if (entry.path().extension() != ".safetensors") continue;
    const Safetensors read = Safetensors::open(entry.path());
    write_safetensors(folder / "copy.safetensors", read.tensors(), read.metadata());
    const std::string copy = read_file(folder / "copy.safetensors");
    EXPECT_TRUE(without_metadata(copy) == without_metadata(read_file(entry.path())))
        << entry.path();
    ++files;
  }
  EXPECT_GT(files, 10);
}

TEST(Safetensors, AnyOrderOfTheSameTensorsGivesTheSameBytes) {
  const TemporaryFolder folder;
  const std::string bytes = "0123456789abcdef";
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  std::vector<TensorEntry> tensors{{"b", Dtype::f32, {2}, data, 8},
                                   {"a", Dtype::f32, {}, data, 4},
                                   {"byte", Dtype::u8, {3, 1}, data, 3},
                                   {"wide", Dtype::i64, {2, 1}, data, 16},
                                   {"none", Dtype::bf16, {0, 7}, nullptr, 0}};
  std::string first;
  for (int i = 0; i < 5; ++i) {
    std::rotate(tensors.begin(), tensors.begin() + 1, tensors.end());
    write_safetensors(folder / "a.safetensors", tensors, {{"format", "pt"}});
    const std::string now = read_file(folder / "a.safetensors");
    EXPECT_TRUE(i == 0 || now == first);
    first = now;
  }
  const Safetensors read = Safetensors::open(folder / "a.safetensors");
  EXPECT_THAT(names(read.tensors()), testing::ElementsAre("a", "b", "byte", "none", "wide"));
  EXPECT_EQ(read.metadata().at("format"), "pt");
  EXPECT_EQ(std::memcmp(read.find("byte")->data, "012", 3), 0);
  EXPECT_THAT(read.find("byte")->shape, testing::ElementsAre(3, 1));
  EXPECT_EQ(read.find("byt"), nullptr);
  EXPECT_EQ((first.size() - 4 - 8 - 3 - 16) % 8, 0u) << "the data begin on a multiple of 8";
}

TEST(Safetensors, EveryDtypeKeepsItsNameAndSize) {
  const TemporaryFolder folder;
  const std::string bytes(64, 'x');
  for (int i = 0; i <= static_cast<int>(Dtype::u64); ++i) {
    const auto dtype = static_cast<Dtype>(i);
    const int64_t size = 3 * dtype_bytes(dtype);
    write_safetensors(folder / "a",
                      {{"t", dtype, {3}, std::as_bytes(std::span(bytes)).data(), size}});
    EXPECT_EQ(Safetensors::open(folder / "a").find("t")->dtype, dtype) << dtype_name(dtype);
  }
}

TEST(Safetensors, AFileCutAtAnyByteIsRefused) {
  const std::string whole =
      image(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "12345678");
  ASSERT_EQ(parse_bytes(whole).size(), 1u);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    EXPECT_TRUE(refuses_bytes(whole.substr(0, cut), "x.safetensors")) << cut;
  }
  EXPECT_TRUE(refuses_bytes(whole + "9", "1 bytes after the last tensor"));
}

TEST(Safetensors, AHeaderThatLiesAboutItsSizeIsRefusedBeforeItIsRead) {
  EXPECT_TRUE(refuses_bytes("1234567", "shorter than the 8 bytes"));
  EXPECT_TRUE(refuses_bytes(image_of_length(100'000'001, "{}"), "at most 100 MB allowed"));
  EXPECT_TRUE(refuses_bytes(image_of_length(UINT64_MAX, "{}"), "at most 100 MB allowed"));
  EXPECT_TRUE(refuses_bytes(image_of_length(3, "{}"), "header of 3 bytes in a file with 2 left"));
  EXPECT_TRUE(refuses_bytes(image_of_length(0, "{}"), "the header is not a JSON object"));
  EXPECT_TRUE(
      refuses_bytes(image_of_length(1, "{}"), "x.safetensors (header):1:2: not well-formed"));
}

TEST(Safetensors, AnEntryMustSayWhatItIsAndNothingElse) {
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"F32","shape":[2])"), "expected dtype, shape and data_offsets"));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1)"),
                    "tensor \"a\": expected dtype, shape and data_offsets and nothing else"));
  EXPECT_TRUE(refuses_bytes(one(R"("dtype":"F31","shape":[2],"data_offsets":[0,8])"),
                            "unknown dtype \"F31\""));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":7,"shape":[2],"data_offsets":[0,8])"), "dtype: expected text"));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"), "shape: expected"));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4,8])"), "two numbers"));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"F32","shape":[2.5],"data_offsets":[0,8])"), "an integer"));
  EXPECT_TRUE(refuses_bytes(one(R"("dtype":"U8","shape":[8,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],)"
                                R"("data_offsets":[0,8])"),
                            "more than 16 dimensions"));
  EXPECT_TRUE(refuses_bytes(image(R"({"a":7})"), "expected an object"));
  EXPECT_TRUE(refuses_bytes(image(R"([])"), "the header is not a JSON object"));
  EXPECT_TRUE(refuses_bytes(image("{\"\xff\":1}"), "ill-formed UTF-8"));
  EXPECT_TRUE(
      refuses_bytes(image(R"({"__metadata__":{"a":1}})"), "__metadata__: a: expected text"));
  EXPECT_TRUE(
      refuses_bytes(image(std::string("{\"a\":") + std::string(50000, '[')), "nested more than 4"));
}

TEST(Safetensors, ShapesThatLieOrOverflowAreRefused) {
  EXPECT_TRUE(refuses_bytes(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"),
                            "shape and dtype contradict the 8 bytes"));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), "contradict"));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"F32","shape":[-1,-2],"data_offsets":[0,8])"), "contradict"));
  EXPECT_TRUE(refuses_bytes(
      one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"), "contradict"));
  EXPECT_TRUE(refuses_bytes(
      one(R"("dtype":"F64","shape":[9223372036854775807],"data_offsets":[0,8])"), "contradict"));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"F64","shape":[1e30],"data_offsets":[0,8])"), "an integer"));
}

TEST(Safetensors, OffsetsOutsideTheDataAreRefused) {
  for (const char* offsets : {"[0,9]", "[8,16]", "[-8,0]", "[8,0]", "[0,9223372036854775807]",
                              "[18446744073709551608,18446744073709551616]"}) {
    EXPECT_TRUE(refuses_bytes(
        one(std::string(R"("dtype":"F32","shape":[2],"data_offsets":)") + offsets), "tensor \"a\""))
        << offsets;
  }
}

TEST(Safetensors, OverlapsHolesAndDuplicateNamesAreRefused) {
  const auto two = [](const char* a, const char* b, const char* name = "b") {
    return image(std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)") + a + "},\"" +
                     name + R"(":{"dtype":"U8","shape":[4],"data_offsets":)" + b + "}}",
                 "12345678");
  };
  EXPECT_THAT(names(parse_bytes(two("[4,8]", "[0,4]"))), testing::ElementsAre("b", "a"));
  EXPECT_TRUE(refuses_bytes(two("[0,4]", "[2,6]"), "tensor \"b\": overlaps the tensor before it"));
  EXPECT_TRUE(refuses_bytes(two("[0,4]", "[0,4]"), "overlaps the tensor before it"));
  EXPECT_TRUE(refuses_bytes(two("[1,5]", "[5,9]"), "do not lie in the file's 8 bytes"));
  EXPECT_TRUE(
      refuses_bytes(one(R"("dtype":"U8","shape":[4],"data_offsets":[4,8])"), "leaves a hole"));
  EXPECT_TRUE(refuses_bytes(two("[0,4]", "[4,8]", "a"), "duplicate key \"a\""));
  EXPECT_TRUE(refuses_bytes(image("{}", "1"), "1 bytes after the last tensor"));
}

TEST(Safetensors, AFileWithoutTensorsIsWhole) {
  EXPECT_TRUE(parse_bytes(image("{}      ")).empty());
}

/// Two shards and an index whose weight_map is given.
std::filesystem::path sharded(const TemporaryFolder& folder, const std::string& map) {
  const std::string bytes = "12345678";
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  write_safetensors(folder / "1.safetensors", {{"a", Dtype::u8, {8}, data, 8}});
  write_safetensors(folder / "2.safetensors", {{"b", Dtype::f32, {2}, data, 8}});
  return folder.write("model.safetensors.index.json", R"({"weight_map": )" + map + "}");
}

TEST(Safetensors, ShardsAreReadAsOneByIndexOrFolder) {
  const TemporaryFolder folder;
  const auto index = sharded(folder, R"({"b": "2.safetensors", "a": "1.safetensors"})");
  EXPECT_THAT(names(Safetensors::open(index).tensors()), testing::ElementsAre("a", "b"));
  EXPECT_THAT(names(Safetensors::open(folder.path()).tensors()), testing::ElementsAre("a", "b"));
}

TEST(Safetensors, AnIndexAndItsShardsMustAgree) {
  const auto opens = [](const std::string& map) {
    return std::function<void()>([map] {
      const TemporaryFolder folder;
      Safetensors::open(sharded(folder, map));
    });
  };
  EXPECT_THAT(opens(R"({"a": "1.safetensors", "c": "2.safetensors"})"),
              throws_error(ErrorKind::data, "tensor \"b\" of 2.safetensors is not listed there"));
  EXPECT_THAT(opens(R"({"a": "2.safetensors", "b": "1.safetensors"})"),
              throws_error(ErrorKind::data, "is not listed there"));
  EXPECT_THAT(
      opens(R"({"a": "1.safetensors", "c": "1.safetensors"})"),
      throws_error(ErrorKind::data, "tensor \"c\" is listed in 1.safetensors and is not there"));
  EXPECT_THAT(opens(R"({"a": "3.safetensors"})"), throws_error(ErrorKind::config, "no such file"));
  for (const char* name : {"../1.safetensors", "/etc/passwd", "..", "", "a/b"}) {
    EXPECT_THAT(opens(R"({"a": ")" + std::string(name) + "\"}"),
                throws_error(ErrorKind::data, "is not a plain file name"));
  }
}

TEST(Safetensors, AFolderWithoutWeightsSaysWhatItLacks) {
  const TemporaryFolder folder;
  folder.write("pytorch_model.bin", "x");
  EXPECT_THAT([&] { Safetensors::open(folder.path()); },
              throws_error(ErrorKind::config, "folder has neither model.safetensors nor"));
  EXPECT_THAT([&] { Safetensors::open(folder / "none.safetensors"); },
              throws_error(ErrorKind::config, "no such file"));
  EXPECT_THAT([&] { Safetensors::open(folder.write("empty.safetensors", "")); },
              throws_error(ErrorKind::data, "file is empty"));
}

TEST(Safetensors, WritingWhatContradictsItselfIsOurOwnMistake) {
  const TemporaryFolder folder;
  const std::string bytes = "12345678";
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  const TensorEntry good{"a", Dtype::u8, {8}, data, 8}, wrong{"b", Dtype::u8, {9}, data, 8};
  EXPECT_THAT(
      [&] {
        write_safetensors(folder / "a", {good, good});
      },
      throws_error(ErrorKind::bug, "insert"));
  EXPECT_THAT([&] { write_safetensors(folder / "a", {wrong}); },
              throws_error(ErrorKind::bug, "shape_bytes"));
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace cupel
