#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "data/parquet_plugin.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/read_rows.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

fs::path fixture(const std::string& name) {
  return fs::path(CUPEL_SOURCE_DIR) / "tests" / "fixtures" / "parquet" / name;
}

std::string bytes_of(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

bool plugin_is_here() {
  return fs::exists(fs::read_symlink("/proc/self/exe").parent_path() / kParquetPlugin);
}

class Parquet : public testing::Test {
 protected:
  void SetUp() override {
    if (!plugin_is_here()) GTEST_SKIP() << "no Parquet plug-in (scripts/setup --parquet)";
  }
};

TEST_F(Parquet, EveryTypeReadsAsPyarrowWroteIt) {
  const ReadRows read = read_rows(fixture("types.parquet"));
  const json::Value expected = json::parse(bytes_of(fixture("types.json")), "types.json");
  const json::Array& rows = expected.as_array("rows");
  ASSERT_EQ(read.rows.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(read.rows[i], json::dump(rows[i]));
  EXPECT_THAT(read.lines, testing::ElementsAre(1, 2, 3, 4));
}

TEST_F(Parquet, RowsOfAllRowGroupsComeInOrder) {
  const ReadRows read = read_rows(fixture("many.parquet"));
  ASSERT_EQ(read.rows.size(), 1000U);
  EXPECT_EQ(read.rows[0], R"({"id":0,"text":"document 0"})");
  EXPECT_EQ(read.rows[999], R"({"id":999,"text":"document 999"})");
}

TEST_F(Parquet, AColumnWithoutAFormInJsonIsNamed) {
  EXPECT_THAT([] { read_rows(fixture("binary.parquet")); },
              throws_error(ErrorKind::data, "column \"image\": binary is not read"));
}

TEST_F(Parquet, AFileWithoutRowsAndOneThatIsNoneAreErrors) {
  EXPECT_THAT([] { read_rows(fixture("empty.parquet")); },
              throws_error(ErrorKind::data, "file has no rows"));
  const TemporaryFolder folder;
  const fs::path text = folder.write("a.parquet", "{\"text\": \"not at all\"}\n");
  EXPECT_THAT([&] { read_rows(text); }, throws_error(ErrorKind::data, "cannot be read as Parquet"));
}

TEST_F(Parquet, AFileCutShortAnywhereIsAnErrorOfThatFile) {
  const std::string whole = bytes_of(fixture("many.parquet"));
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  for (std::size_t size = 4; size < whole.size(); size += whole.size() / 40) {
    const fs::path cut = folder.write("cut.parquet", whole.substr(0, size));
    EXPECT_THAT([&] { read_rows(cut); }, throws_error(ErrorKind::data, "cut.parquet")) << size;
  }
}

TEST_F(Parquet, BytesThatAreNotUtf8MakeARowAReject) {
  const ReadRows read = read_rows(fixture("not_utf8.parquet"));
  EXPECT_THAT(read.rows, testing::ElementsAre(R"({"text":"one"})", R"({"text":"three"})"));
  EXPECT_THAT(read.rejects, testing::ElementsAre(testing::Pair(2, "utf8")));
}

TEST(ParquetPlugin, WhereItIsMissingTheErrorSaysHowToGetIt) {
  if (plugin_is_here()) GTEST_SKIP() << "the plug-in is here";
  EXPECT_THAT([] { read_rows(fixture("many.parquet")); },
              throws_error(ErrorKind::config, "scripts/setup --parquet"));
}

}  // namespace
}  // namespace cupel
