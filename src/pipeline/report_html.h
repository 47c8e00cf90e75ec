// report.html: what a run did, on one page for people.
#pragma once

#include <filesystem>
#include <string>

#include "pipeline/run_folder.h"

namespace cupel::pipeline {

/// One self-contained page: inline SVG and CSS, no script, no outside request. Whatever the folder
/// lacks is left out. Throws Error{config} if there is no such folder.
std::string report_html(const std::filesystem::path& run_folder);

// The sections that know more of their verb than its names and numbers, as HTML.
std::string train_section(const json::Value& report, const RunFolder& run);
std::string curate_section(const json::Value& report);
std::string compress_section(const json::Value& report);
std::string eval_section(const json::Value& report);
/// Of a task of eval that has classes, else nothing: each class, and what was taken for what.
std::string classes_section(const std::string& name, const json::Value& task);
std::string claims_section(const json::Value& report);

}  // namespace cupel::pipeline
