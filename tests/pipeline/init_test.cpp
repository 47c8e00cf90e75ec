#include "pipeline/init.h"

#include <gmock/gmock.h>

#include <sstream>

#include "base/atomic_file.h"
#include "pipeline/train_stage.h"
#include "support/errors.h"
#include "support/requests.h"

namespace cupel::pipeline {
namespace {

Request init_request(const std::filesystem::path& out) {
  Request request;
  request.line.verb = &find_verb("init");
  request.line.flags.out = {out.string()};
  return request;
}

TEST(Init, WritesARecipeThatIsValidAsItStands) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const InitReport report = init({}, init_request(folder / "new.yaml"));
  EXPECT_THAT(report.sections, testing::Contains("train"));
  EXPECT_NO_THROW(request_for(folder, "run", read_file(folder / "new.yaml")));
}

TEST(Init, DoesNotOverwrite) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto path = folder.write("new.yaml", "mine");
  EXPECT_THAT([&] { init({}, init_request(path)); },
              throws_exactly(ErrorKind::config,
                             path.string() + ": exists already; name another file with --out"));
  EXPECT_EQ(read_file(path), "mine");
}

TEST(Init, AVerbWithoutASectionIsRefused) {
  EXPECT_THAT([] { init({{"plan"}}, init_request("new.yaml")); },
              throws_exactly(ErrorKind::config,
                             "plan: no section of a recipe; known: curate, augment, train, "
                             "compress, eval, export, claims"));
  EXPECT_THAT([] { init({{"trian"}}, init_request("new.yaml")); },
              throws_error(ErrorKind::config, "did you mean \"train\"?"));
}

/// Every setting of the section, uncommented, without the example.
std::string uncommented(const Verb& verb) {
  std::istringstream lines(commented_section(verb));
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  # ") && line.find("Every setting") == std::string::npos)
      out += "  " + line.substr(4) + "\n";
  }
  return out;
}

TEST(Init, EveryCommentedSettingIsItsDefault) {
  const Verb& train = find_verb("train");
  TrainStage read, expected;
  // The list shows one item, and settings that are absent by default are shown with theirs.
  expected.datasets.emplace_back().type = train::DatasetType::arithmetic;
  expected.model.emplace().rope_scaling.emplace();
  expected.loss_scale.emplace();
  expected.augment.emplace();
  std::string text = uncommented(train);
  text.replace(text.find("type: \"text\""), 12, "type: arithmetic");
  const yaml::Node node = yaml::parse(text, "init");
  yaml::read_struct(node, read, {"train", {}});
  EXPECT_EQ(to_yaml(to_json(read)), to_yaml(to_json(expected)));
}

}  // namespace
}  // namespace cupel::pipeline
