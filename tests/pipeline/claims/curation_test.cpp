#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/atomic_file.h"
#include "data/read.h"
#include "data/unicode.h"
#include "pipeline/claims/protocols.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::claims {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

const std::string kSource = CUPEL_SOURCE_DIR;

struct CurationBench {
  TemporaryFolder folder;
  Claim claim;
  Heavy heavy;
  std::optional<cupel::Run> run;

  CurationBench() {
    RunOptions options;
    options.folder = folder / "run";
    options.threads = 2;
    run.emplace(options);
    claim.id = "1.2";
    claim.folder = folder.path().string();
  }
  /// The shipped recipe with a topic score that is quick to fit.
  std::filesystem::path write_recipe() {
    std::string recipe = read_file(kSource + "/recipes/curate.yaml");
    const auto replace = [&](const std::string& from, const std::string& to) {
      recipe.replace(recipe.find(from), from.size(), to);
    };
    for (const std::string name : {"input", "reference", "background"})
      replace(name + ": ../", name + ": " + kSource + "/");
    replace("fit: 0.7", "fit: 0.7\n    score: ngram\n    folds: 2");
    return folder.write("curate.yaml", recipe);
  }
  void settle(const std::string& hash, const std::string& more) {
    claim.settings =
        yaml::parse("{recipe: curate.yaml, recipe_sha256: " + hash + ", " + more + "}", "1.2.yaml");
  }
  ClaimValues measure(uint64_t seed = 3) {
    return curation({claim, seed, folder / "run/claims/1.2/3", heavy, *run});
  }
  std::filesystem::path pool(const std::string& name) const {
    return folder / ("run/claims/1.2/3/pool/" + name);
  }
};

const std::string kShipped = "texts: " + kSource + "/data/medical_abstracts/abstracts.csv.gz, " +
                             "off_domain: " + kSource + "/data/other_domains/off_domain.jsonl.gz";

std::vector<std::string> texts_of(const std::filesystem::path& path) {
  CorpusOptions options;
  options.text_field = "medical_abstract";
  options.document_a_line = true;
  std::vector<std::string> texts;
  std::vector<Reject> rejects;  // rows whose damage makes them unreadable
  for (const Document& document : read_corpus(path, options, &rejects).documents)
    texts.push_back(document.text);
  return texts;
}

std::set<std::string> forms_of(const std::filesystem::path& path) {
  std::set<std::string> forms;
  for (const std::string& text : texts_of(path)) forms.insert(normal_form(text));
  return forms;
}

/// sha256(text) mod 10.
int fold_of(const std::string& text) {
  int fold = 0;
  for (const char digit : sha256(text))
    fold = (fold * 16 + (digit <= '9' ? digit - '0' : digit - 'a' + 10)) % 10;
  return fold;
}

const std::string kReference = kSource + "/data/medical_abstracts/reference.txt.gz";
const std::string kBackground = kSource + "/data/other_domains/background.txt.gz";

TEST(CurationClaim, TheReferenceIsOneFoldOfTheAbstractsAndWhole) {
  std::set<std::string> fold;
  for (const std::string& text : texts_of(kSource + "/data/medical_abstracts/abstracts.csv.gz")) {
    if (fold_of(text) == 0) fold.insert(text);
  }
  const std::vector<std::string> reference = texts_of(kReference);
  EXPECT_EQ(std::set(reference.begin(), reference.end()), fold);
  EXPECT_EQ(reference.size(), fold.size());
}

TEST(CurationClaim, ThePoolIsSetUpHonestly) {
  CurationBench bench;
  bench.settle(sha256_file(bench.write_recipe()), kShipped);
  const ClaimValues values = bench.measure();
  EXPECT_EQ(values.at("residual").baseline, 0.23);

  std::map<std::string, int64_t> kinds;
  for_each_row(
      bench.pool("truth.csv"), {},
      [&](json::Value&& row, int64_t) {
        ++kinds[row.at("kind", "").as_string("")];
        return std::optional<RowProblem>();
      },
      nullptr);
  EXPECT_EQ(kinds["valid"], 1925);
  EXPECT_EQ(kinds["exact_dup"] + kinds["near_dup"] + kinds["off_domain"] + kinds["bad_format"],
            575);
  EXPECT_EQ(575 * 100, 2500 * 23);

  const std::set<std::string> pool = forms_of(bench.pool("rows.jsonl"));
  for (const auto& path : {kReference, kBackground}) {
    for (const std::string& form : forms_of(path)) EXPECT_FALSE(pool.contains(form)) << form;
  }
  for_each_row(
      bench.pool("rows.jsonl"), {},
      [&](json::Value&& row, int64_t line) {
        EXPECT_EQ(row.as_object("").size(), 3u) << line << ": the truth is for the scorer";
        return std::optional<RowProblem>();
      },
      nullptr);
}

TEST(CurationClaim, GivesRecallByKindAndACurveOverTheFit) {
  CurationBench bench;
  bench.settle(sha256_file(bench.write_recipe()), kShipped + ", curve: [0.01, 0.999]");
  const ClaimValues values = bench.measure();
  for (const std::string kind : {"exact_dup", "near_dup", "off_domain", "bad_format"}) {
    EXPECT_GT(values.at("recall_" + kind).value, 0.5) << kind;
    EXPECT_LE(values.at("recall_" + kind).value, 1) << kind;
  }
  EXPECT_LT(values.at("calibration_error").value, 0.1);
  EXPECT_GE(values.at("residual_at_fit_0.01").value, values.at("residual").value);
  EXPECT_LE(values.at("valid_lost").value, values.at("valid_lost_at_fit_0.999").value);
  const ClaimValues again = bench.measure();
  EXPECT_EQ(values.at("residual").value, again.at("residual").value) << "it goes on";
}

TEST(CurationClaim, EveryClaimNamesTheHashOfTheRecipeAsItIs) {
  const std::string hash = sha256_file(kSource + "/recipes/curate.yaml");
  for (const std::string id : {"1.2", "1.2_dirty_medical"}) {
    const Claim shipped = read_claim(kSource + "/bench/claims/" + id + ".yaml", true);
    EXPECT_EQ(shipped.settings.find("recipe_sha256")->scalar, hash) << id;
    EXPECT_THAT(shipped.seeds, SizeIs(5));
  }
}

TEST(CurationClaim, ARecipeThatHasChangedIsNotMeasured) {
  CurationBench bench;
  bench.settle(sha256_file(bench.write_recipe()), kShipped);
  bench.folder.write("curate.yaml", "curate: {}\n");
  EXPECT_THAT(
      [&] { bench.measure(); },
      throws_error(ErrorKind::config,
                   "curate.yaml is another file today, " + sha256("curate: {}\n") +
                       "; the thresholds claimed are that recipe's: measure with it again"));
}

TEST(CurationClaim, ARecipeWithoutATopicIsRefused) {
  CurationBench bench;
  const std::string recipe = "curate: {input: rows.jsonl, required_fields: [label]}\n";
  bench.folder.write("rows.jsonl", "{\"text\": \"a\"}\n");
  bench.folder.write("curate.yaml", recipe);
  bench.settle(sha256(recipe), kShipped);
  EXPECT_THAT([&] { bench.measure(); },
              throws_error(ErrorKind::config, "curate: lacks topic or required_fields"));
}

TEST(CurationClaim, NamesADataSetThatIsNotThere) {
  CurationBench bench;
  bench.settle(sha256_file(bench.write_recipe()), "data_set: none_such, rows: a, truth: b");
  EXPECT_THAT([&] { bench.measure(); },
              throws_error(ErrorKind::config, "1.2.yaml: there is no data set \"none_such\""));
}

/// A set with its truth: abstracts of which the reference holds every second one.
struct GivenSet {
  CurationBench bench;
  std::string rows, truth = "id,kind,subkind,dup_of\n";
  std::vector<std::string> reference;

  GivenSet() {
    const std::vector<std::string> abstracts = texts_of(kReference);
    for (int i = 0; i < 40; ++i) {
      const std::string& text = abstracts[static_cast<std::size_t>(i)];
      if (i % 2 == 0) reference.push_back(text);
      add(i, text, "clean", "");
      if (i < 10) add(100 + i, text, "exact_dup", std::to_string(i));
    }
    add(200, "", "bad_format", "");
  }
  void add(int id, const std::string& text, const std::string& kind, const std::string& dup_of) {
    rows += json::dump(json::Object{{"id", id}, {"label", 1}, {"text", text}}) + "\n";
    truth += std::to_string(id) + "," + kind + ",," + dup_of + "\n";
  }
  ClaimValues measure(const std::string& background) {
    std::string lines;
    for (const std::string& text : reference) lines += text + "\n";
    bench.folder.write("reference.txt", lines);
    bench.folder.write("set/rows.jsonl", rows);
    bench.folder.write("set/truth.csv", truth);
    const std::string recipe =
        "curate: {input: set/rows.jsonl, text_field: body, required_fields: [group], topic: "
        "{reference: reference.txt, background: " +
        background + ", score: ngram, folds: 2}}\n";
    bench.folder.write("curate.yaml", recipe);
    bench.settle(sha256(recipe), "data_set: set, rows: rows.jsonl, truth: truth.csv");
    setenv("CUPEL_DATA", bench.folder.path().c_str(), 1);
    const ClaimValues values = bench.measure();
    unsetenv("CUPEL_DATA");
    return values;
  }
};

TEST(CurationClaim, AGivenPoolIsScoredWithoutWhatTheReferenceHolds) {
  GivenSet set;
  const ClaimValues values = set.measure(kBackground);
  // Left: 20 clean rows, 5 copies of them and the empty row.
  EXPECT_NEAR(values.at("residual").baseline.value(), 6.0 / 26, 1e-9);
  EXPECT_EQ(values.at("residual").value, 0);
  EXPECT_EQ(values.at("recall_exact_dup").value, 1);
  for (const std::string& text : set.reference)
    EXPECT_THAT(read_file(set.bench.pool("rows.jsonl")), Not(HasSubstr(text.substr(0, 60))));
}

TEST(CurationClaim, ABackgroundThatSharesATextWithThePoolIsRefused) {
  GivenSet set;
  set.add(300, "Tom has 3 pens and buys 4 more of them.", "off_domain", "");
  const auto background = set.bench.folder.write(
      "shared.txt", "Two and two.\nTOM has 3 pens and  buys 4 more of them.\n");
  EXPECT_THAT(
      [&] { set.measure(background.string()); },
      throws_error(ErrorKind::data, "shared.txt: holds a text that is scored: \"Tom has 3"));
}

}  // namespace
}  // namespace cupel::pipeline::claims
