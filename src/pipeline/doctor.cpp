#include "pipeline/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/text.h"
#include "kernels/dispatch.h"
#include "pipeline/figures.h"
#include "pipeline/libraries.h"
#include "pipeline/program.h"

namespace cupel::pipeline {
namespace {

constexpr int64_t kLittleDisk = INT64_C(2) << 30, kLittleMemory = INT64_C(2) << 30;

void describe_machine(DoctorReport& report) {
  const Machine here = machine();
  report.cpu = here.cpu_model;
  report.kernel = here.kernel;
  report.cores = here.cores;
  report.usable_cores = here.usable_cores;
  report.memory_bytes = here.memory_bytes;
  report.available_bytes = here.available_bytes;
  const json::Value shown = cupel::to_json(here);
  for (const json::Value& flag : shown.at("flags", "machine").as_array("flags")) {
    report.flags.push_back(flag.as_string("flag"));
  }
  report.free_disk_bytes = free_disk_bytes(std::filesystem::current_path());
  if (report.free_disk_bytes < kLittleDisk) {
    report.problems.push_back("less than " + bytes_text(kLittleDisk) +
                              " of free disk here: checkpoints may not fit; free some, or name "
                              "another disk with --out");
  }
  if (report.available_bytes < kLittleMemory) {
    report.problems.push_back("less than " + bytes_text(kLittleMemory) +
                              " of memory is available: close other programs, and ask cupel plan");
  }
}

void describe_kernels(DoctorReport& report) {
  for (const Kernels& row : available_rows()) report.isa_rows.emplace_back(row.name);
  for (const std::string_view name : row_names()) {
    if (std::find(report.isa_rows.begin(), report.isa_rows.end(), name) == report.isa_rows.end())
      report.isa_rows_missing.emplace_back(name);
  }
  if (const char* forced = std::getenv("CUPEL_ISA")) report.isa_forced = forced;
  try {
    report.isa_row = kernels().name;
  } catch (const Error& error) {
    report.problems.emplace_back(error.what());
  }
}

/// The version, asked of the program that is linked with it: it may be there and not start.
void describe_torch(const Heavy& heavy, DoctorReport& report) {
  if (heavy.libraries != nullptr) {
    report.libtorch = heavy.libraries().at("libtorch", "libraries").as_string("libtorch");
    return;
  }
  const std::filesystem::path program = heavy_program();
  if (!std::filesystem::exists(program)) {
    report.problems.push_back(program.string() +
                              " is missing, so train cannot run: scripts/setup fetches LibTorch "
                              "into CUPEL_HOME (default ~/.cache/cupel), then build cupel-nn");
    return;
  }
  const Answer answer = ask(program, "--version");
  const std::size_t begin = answer.text.find("LibTorch ");
  if (answer.exit_code == 0 && begin != std::string::npos) {
    const std::size_t end = answer.text.find(')', begin);
    report.libtorch = answer.text.substr(begin + 9, end - begin - 9);
    return;
  }
  report.problems.push_back(program.string() + " does not start: " + clip(answer.text, 200) +
                            ": scripts/setup fetches LibTorch again, then build cupel-nn");
}

/// Every row, fastest first: what this machine can run, and which one it runs and why.
std::string kernel_rows_text(const DoctorReport& report) {
  std::string out = "kernel rows\n";
  for (const std::string_view name : row_names()) {
    const auto& missing = report.isa_rows_missing;
    const bool lacks = std::find(missing.begin(), missing.end(), name) != missing.end();
    const char* text = lacks                        ? "not on this machine"
                       : name != report.isa_row     ? "available"
                       : !report.isa_forced.empty() ? "in use, as CUPEL_ISA says"
                                                    : "in use, the fastest available";
    out += fmt::format("  {:<10}  {}\n", name, text);
  }
  return out;
}

std::string libraries_text(const DoctorReport& report) {
  constexpr std::size_t kColumns = 96;
  const std::string& torch = report.libtorch;
  std::string out = "libraries\n", line = "  LibTorch " + (torch.empty() ? "not found" : torch);
  for (const auto& [name, its_version] : report.libraries) {
    const std::string text = name + " " + its_version;
    if (line.size() + 2 + text.size() > kColumns) {
      out += line + ",\n";
      line = "  " + text;
    } else {
      line += ", " + text;
    }
  }
  return out + line + "\n";
}

}  // namespace

std::string DoctorReport::text() const {
  json::Value figures = json::Object{};
  const json::Value all = cupel::to_json(*this);
  for (const auto& [name, value] : all.as_object("doctor")) {
    if (!name.starts_with("isa_") && name != "libraries" && name != "libtorch")
      figures.set(name, value);
  }
  figures.set("problems", static_cast<int64_t>(problems.size()));
  std::string out = figures_text(figures) + kernel_rows_text(*this) + libraries_text(*this);
  for (const std::string& problem : problems) out += "problem: " + problem + "\n";
  return out;
}

DoctorReport doctor(const NoSettings&, const Request& request) {
  DoctorReport report;
  report.cupel = version();
  describe_machine(report);
  describe_kernels(report);
  report.libraries = library_versions();
  describe_torch(request.heavy, report);
  return report;
}

}  // namespace cupel::pipeline
