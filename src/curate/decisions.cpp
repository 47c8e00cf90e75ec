#include "curate/decisions.h"

#include "base/json.h"
#include "data/raw_rows.h"

namespace cupel::curate {
namespace {

std::string text_json(std::string_view text) { return json::dump(json::Value(text)); }

Decision from_line(std::string_view line, const std::string& where) {
  const json::Value row = json::parse(line, where);
  Decision decision;
  decision.row = row.at("row", where).as_int(where);
  decision.input = row.at("input", where).as_int(where);
  decision.line = row.at("line", where).as_int(where);
  decision.id = row.at("id", where).as_string(where);
  if (const json::Value* edited = row.find("edited")) {
    for (const json::Value& edit : edited->as_array(where)) {
      decision.edited.push_back({edit.at("stage", where).as_string(where),
                                 edit.at("rule", where).as_string(where),
                                 edit.at("count", where).as_int(where)});
    }
  }
  if (row.at("kept", where).as_bool(where)) return decision;
  decision.stage = row.at("stage", where).as_string(where);
  decision.rule = row.at("rule", where).as_string(where);
  decision.value = row.at("value", where).as_double(where);
  decision.threshold = row.at("threshold", where).as_double(where);
  if (const json::Value* kept = row.find("kept_line")) {
    decision.kept_line = kept->as_int(where);
    decision.kept_input = row.at("kept_input", where).as_int(where);
    decision.kept_id = row.at("kept_id", where).as_string(where);
  }
  if (const json::Value* evaluation = row.find("evaluation")) {
    decision.evaluation = Witness{evaluation->at("file", where).as_string(where),
                                  evaluation->at("line", where).as_int(where),
                                  evaluation->at("match", where).as_string(where)};
  }
  if (const json::Value* failed = row.find("failed")) {
    for (const json::Value& failure : failed->as_array(where)) {
      decision.failed.push_back({failure.at("rule", where).as_string(where),
                                 failure.at("value", where).as_double(where),
                                 failure.at("threshold", where).as_double(where)});
    }
  }
  return decision;
}

std::string number_json(double value) { return json::dump(json::Value(value)); }

/// The member "edited" behind others, or nothing.
std::string edits_json(const std::vector<Edit>& edits) {
  std::string out;
  for (const Edit& edit : edits) {
    out += (out.empty() ? ",\"edited\":[" : ",") + std::string("{\"stage\":") +
           text_json(edit.stage) + ",\"rule\":" + text_json(edit.rule) +
           ",\"count\":" + std::to_string(edit.count) + "}";
  }
  return out.empty() ? out : out + "]";
}

}  // namespace

std::string to_line(const Decision& decision) {
  std::string line = "{\"row\":" + std::to_string(decision.row) +
                     ",\"input\":" + std::to_string(decision.input) +
                     ",\"line\":" + std::to_string(decision.line) +
                     ",\"id\":" + (decision.id.empty() ? "null" : text_json(decision.id)) +
                     ",\"kept\":" + (decision.kept() ? "true" : "false");
  if (decision.kept()) {
    return line +
           ",\"stage\":null,\"rule\":null,\"value\":null,\"threshold\":null,\"kept_id\":null" +
           edits_json(decision.edited) + "}\n";
  }
  line += ",\"stage\":" + text_json(decision.stage) + ",\"rule\":" + text_json(decision.rule) +
          ",\"value\":" + number_json(decision.value) +
          ",\"threshold\":" + number_json(decision.threshold) + ",\"kept_id\":";
  if (decision.is_duplicate()) {
    line += text_json(decision.kept_id) + ",\"kept_input\":" + std::to_string(decision.kept_input) +
            ",\"kept_line\":" + std::to_string(decision.kept_line);
  } else {
    line += "null";
  }
  if (decision.failed.size() > 1) {
    line += ",\"failed\":[";
    for (std::size_t i = 0; i < decision.failed.size(); ++i) {
      const Failure& failure = decision.failed[i];
      line += std::string(i > 0 ? "," : "") + "{\"rule\":" + text_json(failure.rule) +
              ",\"value\":" + number_json(failure.value) +
              ",\"threshold\":" + number_json(failure.threshold) + "}";
    }
    line += "]";
  }
  if (decision.evaluation) {
    line += ",\"evaluation\":{\"file\":" + text_json(decision.evaluation->file) +
            ",\"line\":" + std::to_string(decision.evaluation->line) +
            ",\"match\":" + text_json(decision.evaluation->match) + "}";
  }
  return line + edits_json(decision.edited) + "}\n";
}

std::vector<Decision> find_decisions(const std::filesystem::path& path, const std::string& id,
                                     std::size_t limit) {
  constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
  const std::string needle = ",\"id\":" + text_json(id) + ",";
  std::vector<Decision> found;
  for_each_raw_batch(path, kBatchBytes, [&](const std::vector<RawRow>& rows) {
    for (const RawRow& row : rows) {
      if (found.size() == limit || row.json.find(needle) == std::string_view::npos) continue;
      found.push_back(from_line(row.json, path.string() + ":" + std::to_string(row.line)));
    }
  });
  return found;
}

}  // namespace cupel::curate
