// Our side of the bench `curate`: MinHash signatures of texts, the whole of level 1, and a search
// for duplicates. bench_curate --texts FILE [--profile]; bench_curate --level1 FOLDER; bench_curate
// --find DOCUMENTS BYTES MEGABYTES THREADS
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "base/machine.h"
#include "base/rng.h"
#include "curate/curate.h"
#include "curate/duplicates.h"
#include "curate/lines.h"
#include "curate/markup.h"
#include "curate/repetition.h"
#include "curate/text_counts.h"
#include "data/unicode.h"
#include "kernels/kernels.h"

namespace cupel::curate {
namespace {

/// Of this process, all threads together.
double processor_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

constexpr int kBands = 14, kRows = 8, kNgram = 5;

void sign(const MinHash& minhash, const std::string& text, std::vector<uint64_t>& keys) {
  minhash.band_keys(shingles(normal_form(text), kNgram, NgramUnit::word), keys);
}

/// Runs `step`, which gives a number for the answer, as often as the other side asks.
template <class Step>
void answer_rounds(std::size_t texts, const char* counted, const Step& step) {
  fmt::print("{{\"version\": \"cupel\", \"texts\": {}, \"isa_row\": \"{}\"}}\n", texts,
             kernels().name);
  std::fflush(stdout);
  std::string word;
  for (std::size_t steps; std::cin >> word >> steps;) {
    const double begin = processor_seconds();
    int64_t count = 0;
    for (std::size_t i = 0; i < steps; ++i) count = step();
    fmt::print("{{\"seconds\": {}, \"texts\": {}, \"{}\": {}}}\n", processor_seconds() - begin,
               steps * texts, counted, count);
    std::fflush(stdout);
  }
}

void answer_signatures(const std::vector<std::string>& texts) {
  const MinHash minhash(kBands, kRows);
  std::vector<uint64_t> keys(kBands);
  answer_rounds(texts.size(), "bands", [&] {
    for (const std::string& text : texts) sign(minhash, text, keys);
    return kBands;
  });
}

/// The settings of the other side: three sets of rules, word 5-grams, 14 bands of 8.
void answer_level1(const std::filesystem::path& folder) {
  Config config;
  config.input = {Path{(folder / "corpus.jsonl").string()}};
  config.format->sets = {RuleSet::gopher, RuleSet::c4, RuleSet::fineweb};
  config.dedup.near->ngram_unit = NgramUnit::word;
  config.dedup.near->ngram = kNgram;
  config.dedup.near->bands = kBands;
  config.dedup.near->rows = kRows;
  std::ifstream file(folder / "corpus.jsonl");
  std::size_t texts = 0;
  for (std::string line; std::getline(file, line);) ++texts;
  const std::filesystem::path out = folder.parent_path() / "run";
  answer_rounds(texts, "kept", [&] {
    std::filesystem::remove_all(out);
    Run run({.folder = out, .threads = 1});
    return cupel::curate::run(config, run).kept;
  });
}

/// Microseconds a text of one step of the way, the least of several rounds.
template <class Body>
void profile(const char* name, const std::vector<std::string>& texts, Body body) {
  double least = 1e9;
  for (int round = 0; round < 15; ++round) {
    const double begin = processor_seconds();
    for (const std::string& text : texts) body(text);
    least = std::min(least, processor_seconds() - begin);
  }
  fmt::print("{:28} {:7.2f} us a text\n", name, least * 1e6 / static_cast<double>(texts.size()));
}

void print_profile(const std::vector<std::string>& texts) {
  std::vector<std::string> forms;
  for (const std::string& text : texts) forms.push_back(normal_form(text));
  const MinHash theirs(kBands, kRows), ours(25, 5);
  std::vector<uint64_t> keys(kBands), more_keys(25), sum(1);
  FormatConfig rules;
  rules.sets = {RuleSet::gopher, RuleSet::c4, RuleSet::fineweb};
  profile("rules, own", texts,
          [&](const std::string& text) { sum[0] += check_format(text, {}).size(); });
  profile("rules, own and three sets", texts,
          [&](const std::string& text) { sum[0] += check_format(text, rules).size(); });
  profile("  characters and words", texts,
          [&](const std::string& text) { sum[0] += count_text(text).words.size(); });
  profile("  lines", texts, [&](const std::string& text) {
    sum[0] += static_cast<std::size_t>(count_lines(text).lines);
  });
  profile("  markup", texts, [&](const std::string& text) {
    sum[0] += static_cast<std::size_t>(count_markup(text).pieces);
  });
  profile("  sentences of C4", texts, [&](const std::string& text) {
    sum[0] += static_cast<std::size_t>(count_c4_sentences(text, 3));
  });
  std::vector<TextCounts> counted;
  for (const std::string& text : texts) counted.push_back(count_text(text));
  std::size_t at = 0;
  profile("  repetition", texts, [&](const std::string&) {
    sum[0] += measure_repetition(counted[at++ % counted.size()]).top_grams[0] > 0;
  });
  profile("normal form", texts,
          [&](const std::string& text) { sum[0] += normal_form(text).size(); });
  profile("word 5-grams", forms, [&](const std::string& form) {
    sum[0] += shingles(form, kNgram, NgramUnit::word).size();
  });
  profile("word 5-grams, 14 x 8 keys", forms, [&](const std::string& form) {
    theirs.band_keys(shingles(form, kNgram, NgramUnit::word), keys);
  });
  profile("character 5-grams", forms, [&](const std::string& form) {
    sum[0] += shingles(form, kNgram, NgramUnit::char_).size();
  });
  profile("character 5-grams, 25 x 5", forms, [&](const std::string& form) {
    ours.band_keys(shingles(form, kNgram, NgramUnit::char_), more_keys);
  });
  const auto a = shingles(forms[0], kNgram, NgramUnit::char_),
             b = shingles(forms[1], kNgram, NgramUnit::char_);
  profile("Jaccard of two alike", forms,
          [&](const std::string&) { sum[0] += jaccard(a, a) > 0.5; });
  profile("Jaccard of two strangers", forms,
          [&](const std::string&) { sum[0] += jaccard_if_at_least(a, b, 0.7) > 0; });
}

/// Document `index`, made anew whenever it is asked for: a tenth are edits of one of the thousand
/// before, a twentieth copies.
std::string made_document(int64_t index, int64_t bytes) {
  Rng rng(1, "document", static_cast<uint64_t>(index));
  const uint64_t fate = rng.below(20);
  if (index > 0 && fate < 3) {
    std::string text = made_document(
        index - 1 -
            static_cast<int64_t>(rng.below(static_cast<uint64_t>(std::min<int64_t>(index, 1000)))),
        bytes);
    if (fate > 0) text.replace(rng.below(text.size() - 4), 4, "edit");
    return text;
  }
  std::string text;
  while (static_cast<int64_t>(text.size()) < bytes) {
    // The product of uniform numbers makes some words frequent and most rare.
    uint64_t word = rng.below(1 + rng.below(1 + rng.below(100000)));
    for (word += 20; word > 0; word /= 20) text += "bcdfghklmnprstvwaeio"[word % 20];
    text += ' ';
  }
  text.resize(static_cast<std::size_t>(bytes - 1));
  return text;
}

void print_search(int64_t documents, int64_t bytes, int64_t megabytes, int threads) {
  ThreadPool pool(threads);
  const int64_t memory_before = peak_memory_bytes();
  DuplicateFinder finder({}, megabytes << 20, "/tmp", pool);
  double made = 0, fingerprints = 0;
  constexpr int64_t kGroup = 4096;
  std::vector<std::string> texts(kGroup);
  std::vector<Fingerprint> prints(kGroup);
  for (int64_t begin = 0; begin < documents; begin += kGroup) {
    const int64_t size = std::min(kGroup, documents - begin);
    const double start = wall_seconds();
    pool.parallel_for(size, 64, [&](int64_t i, int64_t end) {
      for (; i < end; ++i) texts[static_cast<std::size_t>(i)] = made_document(begin + i, bytes);
    });
    const double middle = wall_seconds();
    pool.parallel_for(size, 64, [&](int64_t i, int64_t end) {
      for (; i < end; ++i)
        prints[static_cast<std::size_t>(i)] =
            finder.fingerprint(texts[static_cast<std::size_t>(i)]);
    });
    for (int64_t i = 0; i < size; ++i) finder.add(prints[static_cast<std::size_t>(i)]);
    made += middle - start;
    fingerprints += wall_seconds() - middle;
  }
  fmt::print("documents made {:.1f} s; fingerprints {:.1f} s\n", made, fingerprints);
  int64_t found = 0, exact = 0;
  const double begin = wall_seconds(), processor = processor_seconds();
  double last = begin;
  int polls = 0;
  finder.find([&](int64_t document) { return made_document(document, bytes); },
              [&](const Duplicate& each) { ++found, exact += each.exact; },
              [&] {
                const double now = wall_seconds();
                if (++polls < 32)
                  fmt::print("poll {} after {:.2f} s, {} MB\n", polls, now - last,
                             peak_memory_bytes() >> 20);
                last = now;
              });
  fmt::print(
      "find {:.1f} s ({:.1f} s of processors); {} duplicates, {} exact; spilled {} MB; peak memory "
      "{} MB above {} MB\n",
      wall_seconds() - begin, processor_seconds() - processor, found, exact,
      finder.spilled_bytes() >> 20, (peak_memory_bytes() - memory_before) >> 20,
      memory_before >> 20);
}

}  // namespace
}  // namespace cupel::curate

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 5 && words[0] == "--find") {
    cupel::curate::print_search(std::stoll(words[1]), std::stoll(words[2]), std::stoll(words[3]),
                                std::stoi(words[4]));
    return 0;
  }
  if (words.size() == 2 && words[0] == "--level1") {
    cupel::curate::answer_level1(words[1]);
    return 0;
  }
  if (words.size() < 2 || words[0] != "--texts") return 2;
  std::vector<std::string> texts;
  std::ifstream file(words[1]);
  for (std::string line; std::getline(file, line);) texts.push_back(line);
  if (words.size() == 3 && words[2] == "--profile") {
    cupel::curate::print_profile(texts);
  } else {
    cupel::curate::answer_signatures(texts);
  }
}
