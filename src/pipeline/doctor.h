// `doctor`: what this machine offers and what is missing, with the way to get it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline/verbs.h"

namespace cupel::pipeline {

struct DoctorReport {
  std::string cupel, cpu, kernel;
  std::vector<std::string> flags;
  int cores = 1, usable_cores = 1;
  int64_t memory_bytes = 0, available_bytes = 0, free_disk_bytes = 0;
  std::vector<std::string> isa_rows, isa_rows_missing;
  std::string isa_row;     // in use; empty: CUPEL_ISA names none (in JSON: what every report has)
  std::string isa_forced;  // CUPEL_ISA, mostly empty
  std::map<std::string, std::string> libraries;
  std::string libtorch;  // empty: not there
  std::vector<std::string> problems;
  static constexpr auto fields() {
    using C = DoctorReport;
    return std::tuple{
        Field{"cupel", &C::cupel, "version"},
        Field{"cpu", &C::cpu, "model"},
        Field{"kernel", &C::kernel, "of the operating system"},
        Field{"flags", &C::flags, "of the CPU, those that kernel rows need"},
        Field{"cores", &C::cores, "logical cores online"},
        Field{"usable_cores", &C::usable_cores, "after affinity and quota"},
        Field{"memory_bytes", &C::memory_bytes, "of the machine"},
        Field{"available_bytes", &C::available_bytes, "without swapping, within the limits"},
        Field{"free_disk_bytes", &C::free_disk_bytes, "in the current folder"},
        Field{"isa_rows", &C::isa_rows, "kernel rows this CPU can run, fastest first"},
        Field{"isa_rows_missing", &C::isa_rows_missing, "kernel rows this CPU cannot run"},
        Field{"isa_forced", &C::isa_forced, "what CUPEL_ISA says; empty: the fastest is taken"},
        Field{"libraries", &C::libraries, "versions by name, LibTorch and yaml-cpp apart"},
        Field{"libtorch", &C::libtorch, "LibTorch that cupel-nn runs with"},
        Field{"problems", &C::problems, "what is missing, and what to do"}};
  }
  std::string text() const;
};

DoctorReport doctor(const NoSettings& settings, const Request& request);

}  // namespace cupel::pipeline
