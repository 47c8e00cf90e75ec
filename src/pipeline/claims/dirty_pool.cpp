#include "pipeline/claims/dirty_pool.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <span>

#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"
#include "pipeline/claims/spoiled_text.h"

namespace cupel::pipeline::claims {
namespace {

constexpr std::array kEditRates = {0.02, 0.05, 0.1, 0.2};
constexpr std::size_t kKinds = 4;

std::size_t invalid_of_kind(std::size_t invalid, std::size_t kind) {
  return invalid / kKinds + (kind < invalid % kKinds ? 1 : 0);
}

/// Copies of the texts at the beginning of `valid`: exact ones, then edited ones.
void add_copies(std::span<const SourceText> valid, std::size_t exact, std::size_t near,
                std::span<const std::string> ids, uint64_t seed, std::vector<PoolRow>& rows) {
  Rng rng(seed, "copies of valid rows");
  for (std::size_t i = 0; i < exact + near; ++i) {
    const auto& [label, text] = valid[i];
    PoolRow row{.label = label, .dup_of = ids[i]};
    if (i < exact) {
      const auto how = static_cast<Copy>(i % names(Copy{}).size());
      row.kind = "exact_dup";
      row.subkind = names(how)[i % names(Copy{}).size()];
      row.text = copy_of(text, how, rng);
    } else {
      const double rate = kEditRates[(i - exact) % kEditRates.size()];
      const auto other = static_cast<std::size_t>(rng.below(valid.size()));
      row.kind = "near_dup";
      row.subkind = "edit_rate_" + shortest(rate);
      row.text = edited(text, rate, valid[other].text, rng);
    }
    rows.push_back(std::move(row));
  }
}

void add_off_domain(std::vector<SourceText> texts, std::size_t count, uint64_t seed,
                    std::span<const SourceText> valid, std::vector<PoolRow>& rows) {
  Rng rng(seed, "texts of another domain");
  rng.shuffle(texts);
  std::map<std::string, std::vector<std::string>> by_source;
  for (SourceText& text : texts) by_source[text.source].push_back(std::move(text.text));
  std::size_t at = 0;
  for (auto& [source, of_it] : by_source) {
    const std::size_t needed = count / by_source.size() + (at++ < count % by_source.size() ? 1 : 0);
    if (of_it.size() < needed) {
      fail(ErrorKind::data, source,
           "has " + std::to_string(of_it.size()) + " texts of another domain, where " +
               std::to_string(needed) + " are needed",
           "give more of them, or fewer valid texts");
    }
    for (std::size_t i = 0; i < needed; ++i) {
      const auto like = static_cast<std::size_t>(rng.below(valid.size()));
      rows.push_back({.label = valid[like].source,
                      .text = std::move(of_it[i]),
                      .kind = "off_domain",
                      .subkind = source});
    }
  }
}

void add_bad_format(std::span<const SourceText> spare, std::size_t count, uint64_t seed,
                    std::vector<PoolRow>& rows) {
  Rng rng(seed, "damaged texts");
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t way = i % names(Damage{}).size();
    const auto how = static_cast<Damage>(way);
    const auto& [label, text] = spare[i % spare.size()];
    rows.push_back({.label = how == Damage::no_label ? "" : label,
                    .text = damaged(text, how, rng),
                    .kind = "bad_format",
                    .subkind = std::string(names(how)[way])});
  }
}

}  // namespace

std::vector<PoolRow> make_dirty_pool(std::vector<SourceText> texts,
                                     std::vector<SourceText> off_domain, uint64_t seed) {
  const auto percent = static_cast<std::size_t>(kInvalidPercent);
  const std::size_t units = texts.size() * 97 / 100 / (100 - percent);
  if (units == 0 || off_domain.empty()) {
    fail(ErrorKind::data, "texts",
         "are " + std::to_string(texts.size()) + ", and " + std::to_string(off_domain.size()) +
             " of another domain",
         "give at least 80, and some of another domain");
  }
  Rng rng(seed, "order of the pool");
  rng.shuffle(texts);
  const std::size_t invalid = units * percent;
  const auto valid = std::span(texts).first(units * (100 - percent));
  std::vector<int64_t> places(units * 100);  // of the rows that follow, in the pool
  std::iota(places.begin(), places.end(), 0);
  rng.shuffle(places);
  std::vector<std::string> ids;
  for (const int64_t place : places) ids.push_back(std::to_string(place));

  std::vector<PoolRow> rows;
  for (const auto& [label, text] : valid)
    rows.push_back({.label = label, .text = text, .kind = "valid"});
  add_copies(valid, invalid_of_kind(invalid, 0), invalid_of_kind(invalid, 1), ids, seed, rows);
  add_off_domain(std::move(off_domain), invalid_of_kind(invalid, 2), seed, valid, rows);
  add_bad_format(std::span(texts).subspan(valid.size()), invalid_of_kind(invalid, 3), seed, rows);
  CUPEL_ASSERT(rows.size() == ids.size());
  std::vector<PoolRow> pool(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].id = ids[i];
    pool[static_cast<std::size_t>(places[i])] = std::move(rows[i]);
  }
  return pool;
}

}  // namespace cupel::pipeline::claims
