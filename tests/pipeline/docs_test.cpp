#include "pipeline/docs.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "support/files.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

/// "curate explain" has the page curate-explain.md.
std::string page_of(const Verb& verb) {
  std::string name(verb.name);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name + ".md";
}

TEST(Docs, WriteAPageAVerbAndTheSchema) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  const DocsReport report = docs({(folder / "reference").string()}, {});
  EXPECT_EQ(report.files.size(), verbs().size() + 2);
  const std::string index = read_file(folder / "reference/README.md");
  for (const Verb& verb : verbs()) {
    const std::string name(verb.name);
    EXPECT_THAT(index, HasSubstr("[`" + name + "`](" + page_of(verb) + ")"));
    EXPECT_THAT(read_file(folder / "reference" / page_of(verb)), HasSubstr("`cupel " + name));
  }
  EXPECT_THAT(index, HasSubstr("| `--dry-run` |"));
}

TEST(Docs, APageListsSettingsOutputsAndReport) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  docs({folder.path().string()}, {});
  const std::string page = read_file(folder / "train.md");
  EXPECT_THAT(page, HasSubstr("| `loss_scale.min_scale` | number |"));
  EXPECT_THAT(page, HasSubstr("`${train.model}` stands for `model` of the run folder"));
  EXPECT_THAT(page, HasSubstr("| `step_ms.p95` | 95th percentile |"));
}

TEST(Docs, AReportsMapIsOpenedAndEveryReportHasItsResources) {
  TemporaryFolder folder(TemporaryFolder::Place::memory);
  docs({folder.path().string()}, {});
  const std::string page = read_file(folder / "eval.md");
  EXPECT_THAT(page, HasSubstr("| `tasks.NAME.nats_per_token` | mean loss (perplexity) |"));
  EXPECT_THAT(page, HasSubstr("| `tasks.NAME.baseline.margin` | how much better the model is |"));
  for (const Verb& verb : verbs()) {
    if (verb.report().empty()) continue;
    EXPECT_THAT(read_file(folder / page_of(verb)), HasSubstr("| `seconds` | wall time |"))
        << verb.name;
  }
}

TEST(Docs, TheSchemaKnowsBothNamesOfASectionAndTheList) {
  const json::Value schema = recipe_schema();
  const json::Value& top = schema.at("properties", "schema");
  for (const char* name : {"train", "training", "seed", "threads", "stages"})
    EXPECT_NE(top.find(name), nullptr) << name;
  EXPECT_EQ(top.find("plan"), nullptr);
  EXPECT_FALSE(schema.at("additionalProperties", "schema").as_bool("schema"));
}

}  // namespace
}  // namespace cupel::pipeline
